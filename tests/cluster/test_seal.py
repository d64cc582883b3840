"""The seal takes away all that may be left behind, and each of its lines is needed for that."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cluster import seal

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

# What has no effect to be seen in a chroot; the machine that is baked twice has it (test_bakes).
UNSEEN = {"  journalctl --relinquish-var\n"}


def test_nothing_is_left(untouched: Path) -> None:
    assert seal.left(untouched, seal.SCRIPT.read_text(encoding="utf-8")) == []


def test_each_command_is_needed(untouched: Path) -> None:
    script = seal.SCRIPT.read_text(encoding="utf-8")
    lines = [line for line in seal.statements(script) if line not in UNSEEN]
    assert len(lines) > 15
    with ThreadPoolExecutor(max_workers=2) as pool:
        found = pool.map(lambda line: seal.left(untouched, script.replace(line, "  :\n", 1)), lines)
        assert [line for line, left in zip(lines, found, strict=True) if not left] == []


def test_each_path_is_seen(untouched: Path) -> None:
    # That each pattern has a leftover of its own is shown without a machine: tests/unit/test_seal.py.
    script = seal.SCRIPT.read_text(encoding="utf-8")
    assert seal.left(untouched, script.replace("    /etc/cloud/ds-identify.cfg \\\n", "")) == [
        "/etc/cloud/ds-identify.cfg is there"
    ]
