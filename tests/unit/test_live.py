"""What a long run shows of several things at once."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from imagegen.live import Board


def test_without_a_terminal_each_change_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with Board() as board:
        for status in ("running", "running", "waiting"):
            board.show("cp1", ("qemu", "boot", status, ""))
        board.show("worker1", ("qemu", "boot", "running", ""))
    lines = [line.split("s  ", 1)[1] for line in capsys.readouterr().err.splitlines()]
    assert lines == ["cp1: qemu  boot  running", "cp1: qemu  boot  waiting", "worker1: qemu  boot  running"]


def test_on_a_terminal_each_thing_has_its_line() -> None:
    screen = io.StringIO()
    board = Board()
    board._console = Console(file=screen, force_terminal=True, width=100, markup=False, highlight=False)  # noqa: SLF001  no terminal here
    with board:
        board.show("cp1", ("qemu", "endpoint", "waiting", "refused: nothing [listens]"))
        board.show("worker1", ("qemu", "boot", "running", ""))
    last = screen.getvalue().rsplit("\x1b[?25h", 1)[0]
    assert "0 s  cp1      qemu  endpoint  waiting  refused: nothing [listens]" in last
    assert "0 s  worker1  qemu  boot      running" in last
