"""What a render has written, and what changed since the last one."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagegen.console import say, show_table
from imagegen.frozen import dataclass

if TYPE_CHECKING:
    from imagegen.pipeline import Rendering
    from imagegen.userdata import Artifact

MANIFEST = "manifest.json"
Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A render in its folder; `before` is the manifest of what stood there."""

    folder: Path
    rendering: Rendering
    before: Manifest


def read_manifest(folder: Path) -> Manifest | None:
    """What a render left in its folder; None where the folder is none of a render's."""
    try:
        manifest: Manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return manifest if _is_manifest(manifest) else None


def _is_manifest(data: Any) -> bool:
    if not isinstance(data, dict):
        return False
    files, images = data.get("files"), data.get("images", {})
    return (
        isinstance(files, dict)
        and isinstance(images, dict)
        and all(isinstance(file, dict) and isinstance(file.get("sha256"), str) for file in files.values())
        and all(isinstance(image, dict) and isinstance(image.get("fingerprint"), str) for image in images.values())
    )


def show_written(written: Written) -> None:
    """A line for each role and each image."""
    rows = [
        (
            artifact.role,
            f"{len(artifact.payload):,}",
            f"{artifact.limit:,}" if artifact.limit else "none",
            f"{_share(artifact):.0%}" if artifact.limit else "-",
            f"{artifact.heaviest[0][0]} ({artifact.heaviest[0][1]:,})",
            {"same": "the same"}.get(since := _since(artifact, written.before), since),
        )
        for artifact in written.rendering.artifacts
    ]
    titles = ("role", "bytes", "limit", "share", "heaviest file", "since the last render")
    show_table(titles, rows, right=("bytes", "limit", "share"))
    for image in _images(written):
        if image["install"] == "stock":
            served = f"; serve {image['folder']}/ to them" if image["folder"] else ""
            say(f"image {image['name']}: not baked, its machines install themselves{served}")
            continue
        was = image["was"]
        rebake = f", was {was[:12]}: bake anew" if was and image["bake"] else ""
        say(f"image {image['name']}: fingerprint {image['fingerprint'][:12]}{rebake}")
    say(f"wrote {len(written.rendering.tree)} files to {written.folder}/; its README.md says what to do with them")


def written_as_data(written: Written) -> dict[str, Any]:
    """The same for a program; `limit` and `share` are null where the provider has no limit."""
    return {
        "cluster": written.rendering.plan.name,
        "kubernetes": written.rendering.plan.kubernetes_version,
        "folder": str(written.folder),
        "roles": [
            {
                "name": artifact.role,
                "bytes": len(artifact.payload),
                "limit": artifact.limit or None,
                "share": _share(artifact),
                "heaviest": [{"path": path, "bytes": size} for path, size in artifact.heaviest],
                "since": _since(artifact, written.before),
            }
            for artifact in written.rendering.artifacts
        ],
        "images": _images(written),
        "files": [path for path, _ in written.rendering.tree],
    }


def _share(artifact: Artifact) -> float | None:
    return round(len(artifact.payload) / artifact.limit, 4) if artifact.limit else None


def _since(artifact: Artifact, before: Manifest) -> str:
    path = f"user-data/{artifact.role}.yaml"
    if path not in before["files"]:
        return "new"
    return "same" if before["files"][path]["sha256"] == sha256(artifact.plain).hexdigest() else "changed"


def _images(written: Written) -> list[dict[str, Any]]:
    now: Manifest = json.loads(written.rendering.tree[MANIFEST].content)
    before = written.before["images"]
    # A machine whose user-data holds all of it needs no folder.
    parts = [path.split("/") for path, _ in written.rendering.tree if path.startswith("images/")]
    folders = {part[1]: "/".join(part[:3]) for part in parts}
    images = []
    for name, image in now["images"].items():
        was = before.get(name, {}).get("fingerprint")
        images.append(
            {
                "name": name,
                "fingerprint": image["fingerprint"],
                "was": was,
                "install": image["install"],
                "bake": image["install"] == "baked" and was != image["fingerprint"],
                "folder": folders.get(name),
            }
        )
    return images
