"""A proxy in front of Postgres that cuts connections, or holds what they carry for a while."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

_SOCKET = ".s.PGSQL.5432"


class CuttingProxy:
    """Hands on what comes, until it is told to cut or to hold."""

    def __init__(self, server: Path) -> None:
        self._server = server
        self._sides: set[_Side] = set()
        self._holding = 0

    def cut(self) -> None:
        """End all connections at once, and lose whatever is on its way."""
        for side in self._sides.copy():
            side.abort()

    async def hold(self, seconds: float) -> None:
        """Hand on nothing for a while, in either direction."""
        self._holding += 1
        for side in self._sides:
            side.pause()
        await asyncio.sleep(seconds)
        self._holding -= 1
        if not self._holding:
            for side in self._sides:
                side.resume()

    async def connect(self, client: _Side) -> None:
        """Join a new client to the server."""
        loop = asyncio.get_running_loop()
        server = _Side(self._sides)
        client.other, server.other = server, client
        try:
            await loop.create_unix_connection(lambda: server, str(self._server))
        except OSError:
            client.abort()
            return
        if not self._holding:
            client.resume()
        else:
            server.pause()


class _Side(asyncio.Protocol):
    """One of the two ends of a connection."""

    other: _Side | None = None
    _transport: asyncio.Transport | None = None

    def __init__(self, sides: set[_Side], proxy: CuttingProxy | None = None) -> None:
        self._sides = sides
        self._proxy = proxy
        self._connecting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._sides.add(self)
        if self._proxy:
            self.pause()  # until there is somebody to hand it to
            self._connecting = asyncio.create_task(self._proxy.connect(self))

    def data_received(self, data: bytes) -> None:
        if self.other and self.other._transport:
            self.other._transport.write(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._sides.discard(self)
        if self.other and self.other._transport:
            self.other._transport.close()

    def abort(self) -> None:
        """Hang up."""
        if self._transport:
            self._transport.abort()

    def pause(self) -> None:
        """Take nothing any more from this end."""
        if self._transport and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        """Take what comes from this end."""
        if self._transport and not self._transport.is_closing():
            self._transport.resume_reading()


@asynccontextmanager
async def cutting_proxy(database_url: str, folder: Path) -> AsyncIterator[tuple[str, CuttingProxy]]:
    """A proxy with a socket in `folder`, and the database's URL by way of it.

    Args:
        database_url: of a server on a Unix socket.
    """
    url = urlsplit(database_url)
    (host,) = parse_qs(url.query)["host"]
    proxy = CuttingProxy(Path(host) / _SOCKET)
    loop = asyncio.get_running_loop()
    server = await loop.create_unix_server(
        lambda: _Side(proxy._sides, proxy), str(folder / _SOCKET)
    )
    try:
        yield url._replace(query=f"host={quote(str(folder))}").geturl(), proxy
    finally:
        server.close()
        proxy.cut()
        await asyncio.sleep(0)
