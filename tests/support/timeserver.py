"""A time server on the wire of one virtual machine: the only neighbour, by Ethernet frames over a socket of QEMU's.

QEMU's `stream` back end sends each frame behind its length, 4 bytes in network order (its documentation, Network
options). Answered are ARP (RFC 826) for the server's address and NTP (RFC 5905), the latter not before it may be.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import IPv4Address
from pathlib import Path

_MAC = b"\x02\x69\x6d\x67\x00\x7b"
_ARP, _IPV4, _UDP, _NTP = b"\x08\x06", b"\x08\x00", 17, 123
_SINCE_1900 = 2_208_988_800
_ETHERNET, _HEAD, _PORTS = 14, 20, 8


class TimeServer:
    """Answers frames; those that ask for the time once `answers` is set. `asked` counts these."""

    def __init__(self, address: IPv4Address) -> None:
        self._own = address.packed
        self.answers = threading.Event()
        self.asked = 0

    def reply(self, frame: bytes) -> bytes | None:
        """The frame that answers another one, if it is for us to answer."""
        sender, kind, rest = frame[6:12], frame[12:14], frame[_ETHERNET:]
        if kind == _ARP and rest[6:8] == b"\x00\x01" and rest[24:28] == self._own:
            said = rest[:6] + b"\x00\x02" + _MAC + self._own + rest[8:18]
            return sender + _MAC + _ARP + said
        if kind == _IPV4 and rest[9] == _UDP and rest[16:20] == self._own:
            said = self._in_datagram(rest)
            return sender + _MAC + _IPV4 + said if said else None
        return None

    def _in_datagram(self, packet: bytes) -> bytes:
        start = (packet[0] & 15) * 4
        port, wanted = struct.unpack_from("!HH", packet, start)
        if wanted != _NTP:
            return b""
        self.asked += 1
        if not self.answers.is_set():
            return b""
        said = _time(packet[start + _PORTS :], time.time())
        datagram = struct.pack("!HHHH", _NTP, port, _PORTS + len(said), 0) + said
        fields = struct.pack("!BBHHHBBH", 0x45, 0, _HEAD + len(datagram), 0, 0, 64, _UDP, 0)
        head = fields + self._own + packet[12:16]
        return head[:10] + struct.pack("!H", _checksum(head)) + head[12:] + datagram


def _time(request: bytes, now: float) -> bytes:
    """A server's answer of stratum 2."""
    stamp = struct.pack("!II", int(now) + _SINCE_1900, int(now % 1 * 2**32))
    first = request[0] & 0b00111000 | 4
    head = struct.pack("!BBbbII4s", first, 2, request[2], -20, 0, 1 << 8, b"\x7f\x00\x00\x01")
    return head + stamp + request[40:48] + stamp + stamp


def _checksum(head: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(head) // 2}H", head))
    return ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF


@contextmanager
def listening(path: Path, address: IPv4Address) -> Iterator[TimeServer]:
    """A server at the other end of the machine's wire, which is plugged into a socket at `path`."""
    server = TimeServer(address)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(1)
        thread = threading.Thread(target=_serve, args=(server, listener), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            # A listener that somebody waits at ends by this, not by being closed.
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)
            path.unlink()


def _serve(server: TimeServer, listener: socket.socket) -> None:
    with suppress(OSError):
        wire, _ = listener.accept()
        with wire, wire.makefile("rb") as frames:
            while length := frames.read(4):
                answer = server.reply(frames.read(int.from_bytes(length, "big")))
                if answer:
                    wire.sendall(len(answer).to_bytes(4, "big") + answer)
