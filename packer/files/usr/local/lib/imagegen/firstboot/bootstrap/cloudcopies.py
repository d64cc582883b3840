"""Takes our secrets out of what cloud-init keeps of the user-data."""

from __future__ import annotations

import gzip
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from bootstrap import files

STAGED = "/var/lib/imagegen/"
HEADER = "#cloud-config"
GZIP_MAGIC = b"\x1f\x8b"
# Nothing in cloud-init reads these again.
DELETED = (
    "user-data.txt",
    "user-data.txt.i",
    "vendor-data.txt",
    "vendor-data.txt.i",
    "vendor-data2.txt",
    "vendor-data2.txt.i",
)
# The later stages of the same boot read these, so that only our own entries may go.
PRUNED = ("cloud-config.txt", "vendor-cloud-config.txt", "vendor2-cloud-config.txt")
CACHE = "obj.pkl"
SCRIPTS, SCRIPTS_RAN = "scripts", "sem/config_scripts_user"


def wipe_instance(folder: Path) -> list[str]:
    """Cleans one instance's folder; names what could not be cleaned."""
    steps = [(folder / name, files.remove) for name in DELETED]
    steps += [(folder / name, _prune_file) for name in PRUNED]
    steps.append((folder / CACHE, _prune_cache))
    # Before cloud-init has run them, they are still needed.
    if (folder / SCRIPTS_RAN).exists():
        steps += [(path, files.remove) for path in sorted((folder / SCRIPTS).glob("*"))]
    return [trouble for path, step in steps for trouble in _attempt(step, path)]


def prune(text: str) -> str:
    """A cloud-config without the files that it stages for first boot; anything else as it is."""
    if not text.lstrip().startswith(HEADER):
        return text
    config = yaml.safe_load(text)
    written = config.get("write_files") if isinstance(config, dict) else None
    kept = [entry for entry in written or () if not _is_staged(entry)]
    if len(kept) == len(written or ()):
        return text
    config["write_files"] = kept
    return f"{HEADER}\n{yaml.safe_dump(config, sort_keys=False, allow_unicode=True)}"


def _is_staged(entry: Any) -> bool:
    return isinstance(entry, dict) and str(entry.get("path", "")).startswith(STAGED)


def _attempt(step: Callable[[Path], None], path: Path) -> list[str]:
    try:
        step(path)
    except Exception as error:  # noqa: BLE001  # whatever cloud-init's files hold, the node must become a node
        return [f"{path}: {type(error).__name__}"]
    return []


def _prune_file(path: Path) -> None:
    if path.exists():
        text = path.read_text()
        pruned = _checked(prune(text))
        if pruned != text:
            files.write(path, pruned.encode(), 0o600)


def _checked(text: str) -> str:
    if STAGED in text:
        raise ValueError("staged files, in a form that is not understood")
    return text


def _prune_cache(path: Path) -> None:
    if not path.exists():
        return
    source = pickle.loads(path.read_bytes())  # noqa: S301  # cloud-init, too, unpickles it as root
    raw = source.userdata_raw
    pruned = _prune_payload(raw)
    if pruned == raw:
        return
    # Some data sources hold the same text a second time in what they read from the metadata service.
    for name, value in vars(source).items():
        setattr(source, name, _exchange(value, raw, pruned))
    source.userdata = None
    files.write(path, pickle.dumps(source), 0o400)


def _prune_payload(raw: Any) -> Any:
    if isinstance(raw, str):
        return _checked(prune(raw))
    if not isinstance(raw, bytes):
        return raw
    packed = raw.startswith(GZIP_MAGIC)
    text = (gzip.decompress(raw) if packed else raw).decode()
    pruned = _checked(prune(text))
    if pruned == text:
        return raw
    return gzip.compress(pruned.encode()) if packed else pruned.encode()


def _exchange(value: Any, old: object, new: object) -> Any:
    if isinstance(value, dict):
        return {key: _exchange(item, old, new) for key, item in value.items()}
    if isinstance(value, list):
        return [_exchange(item, old, new) for item in value]
    return new if type(value) is type(old) and value == old else value
