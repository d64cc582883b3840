"""What is in the machine: system, kernels, packages, programs, container images, with versions and hashes."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_FORMAT = 1
_CHUNK = 1 << 20
# Where programs lie that no package owns.
_FOLDERS = ("usr/local/bin", "usr/local/sbin", "opt/cni/bin")
_DEB_FIELDS = "${db:Status-Abbrev}|${Package}|${Version}|${Architecture}|${source:Package}|${source:Version}\n"
_RPM_FIELDS = "%{NAME}|%{EPOCHNUM}:%{VERSION}-%{RELEASE}|%{ARCH}|%{SOURCERPM}|\n"
_VERSION = re.compile(r"\bv?(\d+\.\d+(?:\.\d+)?[\w.+~-]*)")


def take(root: Path, declared: dict[str, Any], bundle: Path) -> dict[str, Any]:
    """Give the inventory of the running machine; `bundle` is what it was baked from, where that was a bundle."""
    return {
        "format": _FORMAT,
        "image": json.loads((root / "etc/imagegen/image.json").read_text()),
        "system": _system(root),
        "kernels": sorted(path.parent.name for path in (root / "lib/modules").glob("*/modules.builtin")),
        "packages": sorted(_packages(), key=lambda package: (package["name"], package["architecture"])),
        "binaries": list(_binaries(root, declared["binaries"], _Bundled(bundle))),
        "images": list(_images()),
    }


def _system(root: Path) -> dict[str, str]:
    pairs = (line.partition("=") for line in (root / "etc/os-release").read_text().splitlines())
    said = {key: value.strip("\"'") for key, _, value in pairs}
    wanted = {"id": "ID", "version": "VERSION_ID", "name": "PRETTY_NAME"}
    return {name: said.get(key, "") for name, key in wanted.items()}


def _packages() -> Iterator[dict[str, str]]:
    if shutil.which("dpkg-query"):
        for line in _said("dpkg-query", "--show", f"--showformat={_DEB_FIELDS}").splitlines():
            status, name, version, architecture, source, source_version = line.split("|")
            # The first letter is what is wanted of it: to be there, or to stay as it is.
            if status[:2] in {"ii", "hi"}:
                yield _package("deb", name, version, architecture, source, source_version)
    if shutil.which("rpm"):
        for line in _said("rpm", "--query", "--all", f"--queryformat={_RPM_FIELDS}").splitlines():
            name, version, architecture, source, source_version = line.split("|")
            # Keys that packages are signed with stand in the same list.
            if name != "gpg-pubkey":
                # Epoch 0 is written by nobody.
                yield _package("rpm", name, re.sub("^0:", "", version), architecture, source, source_version)


def _package(kind: str, *values: str) -> dict[str, str]:
    fields = ("name", "version", "architecture", "source", "sourceVersion")
    return {"type": kind, **dict(zip(fields, values))}


class _Bundled:
    """The files of the bundle that the machine was baked from; each was held to its hash before it was installed."""

    def __init__(self, bundle: Path) -> None:
        index = bundle / "bundle.json"
        files = json.loads(index.read_text())["files"] if index.is_file() else []
        self._versions: dict[str, str] = {file["sha256"]: file["version"] for file in files}
        self._files: dict[str, tuple[Path, str]] = {
            Path(file["path"]).name: (bundle / file["path"], file["sha256"]) for file in files
        }

    def sha256(self, path: Path) -> str:
        """To compare is many times quicker than to hash where the machine is emulated."""
        source, sha256 = self._files.get(path.name, (path, ""))
        return sha256 if sha256 and _same(path, source) else _sha256(path)

    def version(self, sha256: str) -> str:
        return self._versions.get(sha256, "")


def _binaries(root: Path, declared: dict[str, str], bundled: _Bundled) -> Iterator[dict[str, str]]:
    found = {f"/{path.relative_to(root)}" for folder in _FOLDERS for path in (root / folder).rglob("*")}
    for name in sorted(found | set(declared)):
        path = root / name.lstrip("/")
        if path.is_file() and not path.is_symlink():
            sha256 = bundled.sha256(path)
            # What nobody declared, a hook's program say, is not run to ask for its version.
            version = declared.get(name) or bundled.version(sha256) or (_asked(path) if name in declared else "")
            yield {"path": name, "name": path.name, "version": version, "sha256": sha256}


def _asked(program: Path) -> str:
    result = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=60)
    found = _VERSION.search(result.stdout + result.stderr)
    return found[1] if found else ""


def _images() -> Iterator[dict[str, str]]:
    if not shutil.which("ctr"):
        return
    for line in _said("ctr", "--namespace=k8s.io", "images", "list").splitlines()[1:]:
        reference, _, digest, *_ = line.split()
        # The runtime keeps a second name for each image, its own digest.
        if not reference.startswith("sha256:"):
            yield {"reference": reference, "digest": digest}


def _same(one: Path, other: Path) -> bool:
    if not other.is_file() or one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as mine, other.open("rb") as theirs:
        while chunk := mine.read(_CHUNK):
            if chunk != theirs.read(_CHUNK):
                return False
    return True


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _said(*command: str) -> str:
    # A list that could not be had is no empty list.
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout
