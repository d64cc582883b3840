"""A TCP load balancer that loses what a machine behind it sends to itself, as clouds' balancers of layer 4 do.

A connection whose turn it is to go to its own client is taken and never passed on: packets that come back to the
machine that they came from are dropped there, and nobody says so.
"""

import argparse
import asyncio
import itertools
import subprocess
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

PORT = 6443
_EVERY, _PATIENCE = 1.0, 2.0


@contextmanager
def balanced(network: str, address: str, backends: Sequence[str], folder: Path) -> Iterator[Path]:
    """Balance `address`:6443 over backends, in a network namespace; what it lost is in the file that comes back."""
    log = folder / "layer4.log"
    with log.open("wb") as file:
        command = ["ip", "netns", "exec", network, sys.executable, __file__, address, *backends]
        process = subprocess.Popen(command, stdout=file, stderr=file)
        try:
            yield log
        finally:
            process.terminate()
            process.wait(10)


class Balancer:
    """Round robin over the backends that take connections."""

    def __init__(self, backends: Sequence[str]) -> None:
        self._backends, self._alive = backends, set[str]()
        self._turns = itertools.count()

    async def watch(self) -> None:
        """Ask each backend again and again whether it takes a connection."""
        while True:
            for backend in self._backends:
                (self._alive.add if await _connects(backend) else self._alive.discard)(backend)
            await asyncio.sleep(_EVERY)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection on, or lose it."""
        client = writer.get_extra_info("peername")[0]
        alive = [backend for backend in self._backends if backend in self._alive]
        async with _closing(writer):
            if not alive:
                return
            backend = alive[next(self._turns) % len(alive)]
            if backend == client:
                sys.stderr.write(f"lost: {client} to itself\n")
                await reader.read(-1)
                return
            with suppress(OSError):
                there, onward = await asyncio.open_connection(backend, PORT)
                async with _closing(onward):
                    await _first_end(_pump(reader, onward), _pump(there, writer))


async def _first_end(*ways: Coroutine[None, None, None]) -> None:
    tasks = [asyncio.ensure_future(way) for way in ways]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def _closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    try:
        yield
    finally:
        with suppress(OSError):
            writer.close()


async def _connects(backend: str) -> bool:
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(backend, PORT), _PATIENCE)
    except OSError:
        return False
    writer.close()
    return True


async def _balance(address: str, backends: Sequence[str]) -> None:
    balancer = Balancer(backends)
    server = await asyncio.start_server(balancer.serve, address, PORT)
    async with server:
        await asyncio.gather(server.serve_forever(), balancer.watch())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("backend", nargs="+")
    arguments = parser.parse_args()
    asyncio.run(_balance(arguments.address, arguments.backend))
