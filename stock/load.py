"""Unpacks what this machine is installed with, and starts it: the program behind imagegen-install.service.

It travels in user-data as it is, so it is small and stands alone. What it unpacks is a mapping of path to text, which
user-data holds as well, or which `bring.py` downloads.
"""

from __future__ import annotations

import base64
import json
import lzma
import os
import shutil
import sys
from pathlib import Path

ROOT = Path(os.environ.get("IMAGEGEN_ROOT", "/"))
WORK = ROOT / "var/tmp/imagegen"
PAYLOAD = Path(__file__).with_name("payload")
# What the install has downloaded already stays for its next try.
KEPT = "bundle"


def main() -> None:
    """Unpacks and hands over."""
    os.umask(0o077)
    files = json.loads(unpacked())
    clear()
    for name, text in files.items():
        path = WORK / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    # No compiled files: the folder is copied onto the machine as it is.
    os.execv(sys.executable, [sys.executable, "-B", str(WORK / "install")])  # noqa: S606


def unpacked() -> bytes:
    """The files, from beside this program or from where it is told."""
    if PAYLOAD.exists():
        return lzma.decompress(base64.b85decode(PAYLOAD.read_text().strip()))
    import bring  # noqa: PLC0415  there only where it is needed

    return bring.bring(ROOT, json.loads(Path(__file__).with_name("stock.json").read_text()))


def clear() -> None:
    """Leaves of an earlier try what was downloaded, and of a stranger's folder of this name nothing."""
    if WORK.is_symlink() or (WORK.exists() and WORK.stat().st_uid != os.getuid()):
        WORK.rename(f"{WORK}.strange")
    WORK.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in WORK.iterdir():
        if path.name != KEPT:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
