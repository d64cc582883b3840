"""The seal's own lines, and the seal run in a chroot on the base disk, over everything that may be left behind."""

import json
import re
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support import rooted

SCRIPT = Path(__file__).parents[2] / "packer/scripts/90-seal-image.sh"
HERE = Path(__file__).parent
USER = "imagegen-build"
# In a chroot there is no service to ask, and no disk; Debian has not the first two.
_STAND_INS = {
    "dnf": "rm -f /var/lib/kept-for-dnf",
    "subscription-manager": "rm -f /var/lib/kept-for-subscription-manager",
    "journalctl": "",
    "systemctl": "",
    "fstrim": "",
}
_RUN = """\
set -e
mkdir -p /var/tmp/imagegen
echo BUILD_USER={user} > /var/tmp/imagegen/image.env
export PATH=/mnt/programs:$PATH
python3 /mnt/planting.py plant /mnt/table.json >/dev/null
bash /mnt/seal.sh >&2
python3 /mnt/planting.py look /mnt/table.json
"""


def table(*, chroot: bool) -> dict[str, Any]:
    """Everything that may be left behind."""
    found = tomllib.loads((HERE / "leftovers.toml").read_text(encoding="utf-8"))
    further = found.pop("chroot")
    return found | {key: [*found[key], *further[key]] for key in further} if chroot else found


def removed(script: str) -> tuple[str, ...]:
    """Every pattern that the seal removes, as bash reads it."""
    blocks = re.findall(r"rm -rf \\\n((?:.*\\\n)*.*)\n", script)
    words = (line.strip(' "\\') for block in blocks for line in block.splitlines())
    return tuple(word.replace("$BUILD_USER", USER) for word in words)


def statements(script: str) -> Iterator[str]:
    """Every command in a function that forgets something, as a line or as the lines that it goes on for."""
    for body in re.findall(r"(?m)^forget_\w+\(\) \{\n(.*?)^\}", script, re.DOTALL):
        yield from re.findall(r"(?m)^  (?:.*\\\n)*.*\n", body)


def left(root: Path, script: str) -> list[str]:
    """Run a seal in a chroot on a root folder where everything was left behind; what is left after it."""
    with tempfile.TemporaryDirectory(prefix="imagegen-seal-") as folder:
        share = Path(folder)
        shutil.copyfile(HERE / "planting.py", share / "planting.py")
        (share / "table.json").write_text(json.dumps(table(chroot=True)), encoding="utf-8")
        (share / "seal.sh").write_text(script, encoding="utf-8")
        (share / "programs").mkdir()
        for name, body in _STAND_INS.items():
            (share / "programs" / name).write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
            (share / "programs" / name).chmod(0o755)
        said = rooted.inside(root, "bash", "-c", _RUN.format(user=USER), folders={"/mnt": share})
    found: list[str] = json.loads(said.splitlines()[-1])
    return found
