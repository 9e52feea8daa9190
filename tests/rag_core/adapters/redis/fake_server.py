"""A server that speaks Redis' protocol and misbehaves as a test tells it to."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from enum import Enum
from pathlib import Path


class Fault(Enum):
    """What comes instead of a reply."""

    STALL = "nothing, and the connection stays open"
    CUT = "nothing, and the connection is closed"


Reply = bytes | Fault
Script = Callable[[bytes], Reply | None]
"""From the command's name, in capitals, to the reply; None for the usual one."""


def bulk(value: bytes) -> bytes:
    """`value` as a bulk string."""
    return b"$%d\r\n%s\r\n" % (len(value), value)


_USUAL: dict[bytes, bytes] = {
    b"HELLO": b"%1\r\n$5\r\nproto\r\n:3\r\n",
    b"PING": b"+PONG\r\n",
    b"GET": b"_\r\n",
    b"SET": b"+OK\r\n",
}


class FakeServer:
    """Counts commands, and answers by `script` where it says something."""

    def __init__(self, path: Path) -> None:
        self.url = f"unix://{path}"
        self.commands: Counter[bytes] = Counter()
        self.connections = 0
        """How many were opened so far."""
        self.connect_s = 0.0
        """How long it takes until a new connection is of any use."""
        self.script: Script = lambda name: None
        self._writers: set[StreamWriter] = set()

    @property
    def open(self) -> int:
        """How many connections are open."""
        return len(self._writers)

    def always(self, reply: Reply, *, but: tuple[bytes, ...] = ()) -> None:
        """Answer every command so, except for those named."""
        self.script = lambda name: None if name in but else reply

    def behave(self) -> None:
        """Be a good server again."""
        self.script = lambda name: None

    async def host(self, reader: StreamReader, writer: StreamWriter) -> None:
        """One connection, until either side closes it."""
        self._writers.add(writer)
        self.connections += 1
        try:
            await asyncio.sleep(self.connect_s)
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while reply := self._reply(await _command(reader)):
                    if reply is Fault.CUT:
                        break
                    if isinstance(reply, bytes):
                        writer.write(reply)
                        await writer.drain()
        finally:
            self._writers.discard(writer)
            writer.close()

    def cut_all(self) -> None:
        """Close every connection."""
        for writer in self._writers:
            writer.close()

    def _reply(self, command: list[bytes]) -> Reply:
        name = command[0].upper()
        self.commands[name] += 1
        scripted = self.script(name)
        if scripted is not None:
            return scripted
        if name == b"SET" and b"GET" in command:  # it gives what was there before
            return b"_\r\n"
        return _USUAL.get(name, b"+OK\r\n")


async def _command(reader: StreamReader) -> list[bytes]:
    """The next command: an array of bulk strings."""
    return [await _bulk(reader) for _ in range(await _length(reader))]


async def _bulk(reader: StreamReader) -> bytes:
    return (await reader.readexactly(await _length(reader) + 2))[:-2]


async def _length(reader: StreamReader) -> int:
    return int((await reader.readuntil(b"\r\n"))[1:])


@asynccontextmanager
async def fake_server(path: Path) -> AsyncIterator[FakeServer]:
    fake = FakeServer(path)
    server = await asyncio.start_unix_server(fake.host, path)
    try:
        yield fake
    finally:
        server.close()
        fake.cut_all()
        await asyncio.sleep(0)
