"""Frames reach whom they are for, and the way out hears nothing that is between others."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from imagegen.lab.switch import Port, Switch

ONE, TWO, OUT, ALL = b"\x52\0\0\0\0\1", b"\x52\0\0\0\0\2", b"\x52\x55\0\0\0\3", b"\xff" * 6


class Wire(asyncio.Transport):
    """What comes out of a port."""

    def __init__(self, waiting: int = 0) -> None:
        super().__init__()
        self.heard: list[bytes] = []
        self._waiting = waiting

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.heard.append(bytes(data)[4:])

    def get_write_buffer_size(self) -> int:
        return self._waiting

    def abort(self) -> None:
        self.heard.append(b"aborted")


def framed(target: bytes, source: bytes, data: bytes = b"hello") -> bytes:
    frame = target + source + data
    return len(frame).to_bytes(4, "big") + frame


@pytest.fixture
def plugged() -> tuple[list[Port], list[Wire]]:
    """Two machines and the way out."""
    switch = Switch()
    ports, wires = [Port(switch, is_way=number == 2) for number in range(3)], [Wire(), Wire(), Wire()]
    for port, wire in zip(ports, wires, strict=True):
        port.connection_made(cast("asyncio.BaseTransport", wire))
    return ports, wires


def test_what_is_for_all_reaches_all_others(plugged: tuple[list[Port], list[Wire]]) -> None:
    ports, wires = plugged
    ports[0].data_received(framed(ALL, ONE))
    assert [len(wire.heard) for wire in wires] == [0, 1, 1]


def test_what_is_for_one_is_not_heard_on_the_way_out(plugged: tuple[list[Port], list[Wire]]) -> None:
    ports, wires = plugged
    ports[0].data_received(framed(TWO, ONE))
    ports[1].data_received(framed(ONE, TWO))
    assert [len(wire.heard) for wire in wires] == [1, 1, 0]


def test_the_way_out_hears_what_is_for_it(plugged: tuple[list[Port], list[Wire]]) -> None:
    ports, wires = plugged
    ports[2].data_received(framed(ALL, OUT))
    ports[0].data_received(framed(OUT, ONE))
    assert wires[2].heard == [OUT + ONE + b"hello"]
    assert len(wires[1].heard) == 1


def test_frames_come_in_any_pieces(plugged: tuple[list[Port], list[Wire]]) -> None:
    ports, wires = plugged
    stream = framed(TWO, ONE, b"a") + framed(TWO, ONE, b"b" * 2000)
    for start in range(0, len(stream), 7):
        ports[0].data_received(stream[start : start + 7])
    assert [len(frame) for frame in wires[1].heard] == [13, 2012]


def test_a_port_that_is_gone_is_forgotten(plugged: tuple[list[Port], list[Wire]]) -> None:
    ports, wires = plugged
    ports[1].data_received(framed(ALL, TWO))
    ports[1].connection_lost(None)
    ports[0].data_received(framed(TWO, ONE))
    assert wires[1].heard == []


def test_what_is_no_frame_ends_the_connection(plugged: tuple[list[Port], list[Wire]]) -> None:
    ports, wires = plugged
    ports[0].data_received(b"GET / HTTP/1.1\r\n")
    assert wires[0].heard == [b"aborted"]


def test_who_does_not_listen_loses_frames() -> None:
    switch, slow = Switch(), Wire(waiting=1 << 30)
    port = Port(switch, is_way=False)
    port.connection_made(cast("asyncio.BaseTransport", slow))
    Port(switch, is_way=False).data_received(framed(ALL, ONE))
    assert slow.heard == []
