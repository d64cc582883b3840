"""Settings shared with the host are put back."""

from pathlib import Path

import pytest

from imagegen.lab.sysctls import SHARED, kept


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for key in SHARED:
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_text("1\n", encoding="ascii")
    return tmp_path


def test_a_change_is_taken_back_also_after_a_failure(root: Path) -> None:
    def change_and_fail() -> None:
        with kept(root):
            (root / "kernel/panic").write_text("10\n", encoding="ascii")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        change_and_fail()
    assert (root / "kernel/panic").read_text(encoding="ascii") == "1\n"
