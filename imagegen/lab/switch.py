"""A network switch for virtual machines: a process without rights, which passes Ethernet frames between sockets.

QEMU's `stream` back end sends each frame behind its length, 4 bytes in network order (its documentation, Network
options). A switch that learns, not a hub: what QEMU's user network hears of others' connections it would reset.
"""

import asyncio
import os
import sys
from contextlib import suppress
from typing import cast

_LENGTH, _ADDRESS = 4, 6
# Like any switch it drops what a machine does not take in time.
_MOST_WAITING = 4 << 20
_LONGEST = 1 << 17
NODES, WAY = "nodes", "way"
"""Names of the two sockets: one for machines, one for the way to this host."""


class Port(asyncio.Protocol):
    """One end of a cable; `is_way`: it hears broadcasts and what is addressed to it, and nothing between others."""

    def __init__(self, switch: "Switch", *, is_way: bool) -> None:
        self._switch, self.is_way = switch, is_way
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._switch.ports.add(self)

    def connection_lost(self, _error: Exception | None) -> None:
        self._switch.forget(self)

    def data_received(self, data: bytes) -> None:
        buffer, start = self._buffer, 0
        buffer += data
        while len(buffer) >= start + _LENGTH:
            size = int.from_bytes(buffer[start : start + _LENGTH], "big")
            if size > _LONGEST and self._transport:
                self._transport.abort()
                return
            end = start + _LENGTH + size
            if len(buffer) < end:
                break
            self._switch.pass_on(self, bytes(buffer[start:end]))
            start = end
        del buffer[:start]

    def send(self, framed: bytes) -> None:
        """Give a frame with its length to whoever is at this end."""
        if self._transport and self._transport.get_write_buffer_size() < _MOST_WAITING:
            self._transport.write(framed)


class Switch:
    """Which address is behind which port is learned from what comes out of it."""

    def __init__(self) -> None:
        self.ports: set[Port] = set()
        self._learned: dict[bytes, Port] = {}

    def forget(self, port: Port) -> None:
        self.ports.discard(port)
        self._learned = {address: other for address, other in self._learned.items() if other is not port}

    def pass_on(self, origin: Port, framed: bytes) -> None:
        """To the port of its target; to all others where that is not known, or where it is for all."""
        target = framed[_LENGTH : _LENGTH + _ADDRESS]
        self._learned[framed[_LENGTH + _ADDRESS : _LENGTH + 2 * _ADDRESS]] = origin
        for_many = bool(target[:1]) and bool(target[0] & 1)
        if not for_many and (port := self._learned.get(target)):
            port.send(framed)
            return
        for port in self.ports - {origin}:
            if for_many or not port.is_way:
                port.send(framed)


async def serve() -> None:
    """Switch between whoever connects to the two sockets in this folder, until standard input ends."""
    switch, loop, end = Switch(), asyncio.get_running_loop(), asyncio.Event()
    for name in (NODES, WAY):
        await loop.create_unix_server(lambda is_way=name == WAY: Port(switch, is_way=is_way), name)  # type: ignore[misc]
    loop.add_reader(sys.stdin.fileno(), end.set)
    await end.wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(serve())
    os._exit(0)
