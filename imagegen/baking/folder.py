"""The folder that Packer runs in."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imagegen.baking.commands import INIT_SINCE

PLUGINS = "plugins.pkr.hcl"
REPORT = "report.json"
RESULTS = ("manifest.json", REPORT)


@contextmanager
def staged(folder: Path, version: tuple[int, ...]) -> Iterator[Path]:
    """The emitted folder, or for an older Packer a copy without the plugins file, which it does not understand.

    What the bake writes is in the emitted folder afterwards, of a failed one as well; an earlier bake's report is not.
    """
    (folder / REPORT).unlink(missing_ok=True)
    if version >= INIT_SINCE:
        yield folder
        return
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".packer-") as copy:
        target = Path(copy) / folder.name
        shutil.copytree(folder, target, ignore=shutil.ignore_patterns(PLUGINS, "output"))
        try:
            yield target
        finally:
            _collect(target, folder)


def _collect(ran_in: Path, folder: Path) -> None:
    for name in RESULTS:
        if (ran_in / name).exists():
            shutil.copyfile(ran_in / name, folder / name)
