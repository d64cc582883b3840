"""What a machine from a public image is given to install itself: the bake's own scripts and files, packed."""

from __future__ import annotations

import json
import lzma
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from imagegen.filetree import FileTree
from imagegen.images.declared import FILES
from imagegen.images.shortening import shorten
from imagegen.plan import ImagePlan, StockPlan

# Of the image's folder; what is not here is Packer's.
_TAKEN = ("scripts/", "verify/", "files/", "hooks/", "image.env", "declared.json", "lock.json")
# A script for each package manager.
_FAMILIES = "scripts/family/"
# A machine that installs itself keeps its identity.
_SEAL = "scripts/90-seal-image.sh"
_INSTALL = "install/"
# Text has no alignment for the compressor to look for, and the usual dictionary would take 700 MB for these 200 KB.
_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": 1 << 20, "pb": 0}]


def pack(plan: ImagePlan, folder: FileTree, programs: FileTree, fingerprint: str) -> StockPlan:
    """The image's folder as its machines are given it; `programs` are those that install it (stock/)."""
    texts = {path: file.content.decode() for path, file in folder if _is_taken(path, plan.family)}
    texts |= {path: file.content.decode() for path, file in programs if path.startswith(_INSTALL)}
    texts = {path: shorten(text) if path.endswith(".py") else text for path, text in texts.items()}
    texts["declared.json"] = _declared(json.loads(texts["declared.json"]), texts)
    content = json.dumps(_likes_together(texts), ensure_ascii=False, separators=(",", ":")).encode()
    payload = lzma.compress(content, format=lzma.FORMAT_XZ, check=lzma.CHECK_CRC32, filters=_FILTERS)
    return StockPlan(
        payload=payload,
        sha256=sha256(content).hexdigest(),
        url=plan.stock_url,
        fingerprint=fingerprint,
        masked_units=plan.masked_units,
        steps=tuple(sorted(_name(path) for path in texts if path.endswith(".sh") and path.count("/") == 1)),
        paths=frozenset(f"/{path.removeprefix(FILES)}" for path in texts if path.startswith(FILES)),
        start=_without_remarks(_text(programs, "start.sh")),
        unit=_without_remarks(_text(programs, "imagegen-install.service")),
        hold=_text(programs, "10-install.conf"),
        loader=shorten(_text(programs, "load.py")),
        download=shorten(_text(programs, "bring.py")),
    )


def _is_taken(path: str, family: str) -> bool:
    foreign = path.startswith(_FAMILIES) and path != f"{_FAMILIES}{family}.sh"
    return path.startswith(_TAKEN) and path != _SEAL and not foreign


def _name(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".sh")


def _declared(declared: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    # The machine has the files beside it, shortened: it makes their digests itself, and 60 of them weigh 2 KB.
    files = {
        path: {**file, "sha256": ""} if "sha256" in file and f"files{path}" in texts else file
        for path, file in declared["files"].items()
    }
    return json.dumps({**declared, "files": files}, separators=(",", ":"))


def _likes_together(texts: Mapping[str, str]) -> dict[str, str]:
    return dict(sorted(texts.items(), key=lambda item: (item[0].rpartition(".")[2], item[0])))


def _text(tree: FileTree, path: str) -> str:
    return tree[path].content.decode()


def _without_remarks(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
