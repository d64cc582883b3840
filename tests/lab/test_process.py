"""A program's failure shows what it said."""

import pytest

from imagegen.lab.process import LabError, run


def test_a_failure_quotes_the_program() -> None:
    with pytest.raises(LabError, match=r"exit code 3: .*\n(?s:.*)not so"):
        run("sh", "-c", "echo not so >&2; exit 3")


def test_a_failure_may_be_wanted() -> None:
    assert run("sh", "-c", "exit 3", check=False).returncode == 3


def test_an_endless_program_is_ended() -> None:
    with pytest.raises(LabError, match=r"no end after 0\.2 s(?s:.*)so far"):
        run("sh", "-c", "echo so far; exec sleep 60", timeout=0.2)
