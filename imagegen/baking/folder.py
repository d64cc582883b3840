"""The folder that Packer runs in."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imagegen.baking.commands import INIT_SINCE

PLUGINS = "plugins.*.pkr.hcl"
RESULTS = ("manifest.json", "report.json")


@contextmanager
def staged(folder: Path, version: tuple[int, ...]) -> Iterator[Path]:
    """The emitted folder, or for an older Packer a copy without the plugins files, which it does not understand."""
    if version >= INIT_SINCE:
        yield folder
        return
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".packer-") as copy:
        target = Path(copy) / folder.name
        shutil.copytree(folder, target, ignore=shutil.ignore_patterns(PLUGINS, "output"))
        yield target


def collect(ran_in: Path, folder: Path) -> None:
    """Bring what Packer wrote beside its templates into the emitted folder, if it ran in a copy."""
    if ran_in != folder:
        for name in RESULTS:
            if (ran_in / name).exists():
                shutil.copyfile(ran_in / name, folder / name)
