"""A port of this host that leads into a lab's network: nothing of the host's routes and addresses is changed."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_HOST = "127.0.0.1"
_BLOCK = 1 << 16


@contextmanager
def forwarded(namespace: str, address: str, port: int) -> Iterator[int]:
    """The number of a port on loopback, which leads to `address`:`port` in a network namespace.

    A socket stays in the namespace that it was made in: this process opens the one that listens, a program inside the
    namespace takes its connections. It ends with its standard input, so not later than this process.
    """
    with socket.create_server((_HOST, 0)) as listener:
        descriptor = listener.fileno()
        inside = ["ip", "netns", "exec", namespace, sys.executable, "-I", __file__]
        process = subprocess.Popen(
            [*inside, str(descriptor), address, str(port)],
            pass_fds=[descriptor],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield int(listener.getsockname()[1])
        finally:
            process.kill()
            process.communicate()


async def forward(listener: socket.socket, address: str, port: int) -> None:
    """Pass on every connection until nobody holds the other end of standard input any more."""

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection(address, port)
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        writer.close()

    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), end.set)
    async with await asyncio.start_server(pass_on, sock=listener):
        await end.wait()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while block := await reader.read(_BLOCK):
            writer.write(block)
            await writer.drain()
    with suppress(OSError):
        writer.close()


def main() -> None:
    """Be the program inside: a listening socket's descriptor, the address, the port."""
    descriptor, address, port = sys.argv[1:]
    # No task that is still at work holds up the end.
    with suppress(asyncio.CancelledError):
        asyncio.run(forward(socket.socket(fileno=int(descriptor)), address, int(port)))
    os._exit(0)


if __name__ == "__main__":
    main()
