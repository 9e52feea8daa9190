"""A proxy before Postgres or Redis that counts round trips, and delays, freezes and cuts them."""

from __future__ import annotations

import asyncio
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.servers.proxy_route import Route, route_to

_CHUNK_BYTES = 1 << 20

_Stream = tuple[StreamReader, StreamWriter]


class CountingProxy:
    """What stands at `url` and hands everything on to the server behind it.

    It lives in the running event loop: call it from coroutines, or from other threads and
    processes, but never from blocking code in the loop's own thread.
    """

    def __init__(self, route: Route, socket: Path) -> None:
        self.url = route.url(socket)
        self.round_trips = 0
        """How often a reply began after a client had sent something: the times a client waited.

        A client that sends on without waiting for a reply makes one round trip, unless a reply
        reaches it in between: a `delay_s` longer than it takes to send prevents that. Everything
        on every connection counts: connecting, and preparing a statement for the first time on it.
        """
        self.connections = 0
        """How many were opened so far."""
        self.delay_s = 0.0
        """How much later than it came from the server a reply reaches the client."""
        self.reply_bytes = _CHUNK_BYTES
        """How much of a reply is handed on at a time; 1 leaves no message in one piece."""
        self._route = route
        self._requests = asyncio.Event()
        self._replies = asyncio.Event()
        self._refusing = False
        self._open: set[asyncio.Task[None]] = set()
        self.resume()

    def freeze(self) -> None:
        """Hand on nothing any more, in either direction; connections stay, and may be opened."""
        self._requests.clear()
        self._replies.clear()

    def freeze_replies(self) -> None:
        """Hand on what clients send, but no reply: the server acts, and nobody learns of it."""
        self._replies.clear()

    def refuse(self) -> None:
        """Cut all connections and every new one, as if there were no server."""
        self._refusing = True
        self.cut()

    def resume(self) -> None:
        """Hand on what was held back and everything that comes, and let clients connect."""
        self._refusing = False
        self._requests.set()
        self._replies.set()

    def cut(self) -> None:
        """End all connections at once, whatever is on its way; clients may connect again."""
        for connection in self._open:
            connection.cancel()

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """One connection, until either side or `cut` ends it."""
        connection = asyncio.current_task()
        assert connection is not None
        self._open.add(connection)
        try:
            if not self._refusing:
                await self._connect(reader, writer)
        except (ConnectionError, FileNotFoundError, asyncio.CancelledError):
            pass  # no server there, or `cut`: either way all that the client sees is an end
        finally:
            self._open.discard(connection)
            writer.transport.abort()

    async def aclose(self) -> None:
        """End all connections, and wait until they have ended."""
        self.refuse()
        await asyncio.gather(*self._open)
        await asyncio.sleep(0)  # the transports close in the loop's next turn

    async def requests_flow(self) -> None:
        """Return when what clients send may be handed on."""
        await self._requests.wait()

    async def replies_flow(self) -> None:
        """Return when replies may be handed on."""
        await self._replies.wait()

    async def _connect(self, reader: StreamReader, writer: StreamWriter) -> None:
        self.connections += 1
        server_reader, server_writer = await self._route.connect()
        try:
            await _Exchange(self, (reader, writer), (server_reader, server_writer)).run()
            writer.close()
            await writer.wait_closed()
        finally:
            server_writer.transport.abort()


class _Exchange:
    """What goes to and fro over one connection."""

    def __init__(self, proxy: CountingProxy, client: _Stream, server: _Stream) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._awaited = False
        self._late: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def run(self) -> None:
        """Return when the server has ended it and the client has all that came before."""
        try:
            async with asyncio.TaskGroup() as group:
                sending = group.create_task(self._send())
                group.create_task(self._receive())
                await self._reply()
                sending.cancel()
        except* ConnectionError:
            pass  # one side is gone, and so is the other in a moment

    async def _send(self) -> None:
        reader, writer = self._client[0], self._server[1]
        while data := await reader.read(_CHUNK_BYTES):
            self._awaited = True
            await self._proxy.requests_flow()
            writer.write(data)
            await writer.drain()
        writer.write_eof()

    async def _receive(self) -> None:
        """Put down what the server sends, with the time at which the client shall see it."""
        data = b"..."
        while data:
            data = await self._server[0].read(self._proxy.reply_bytes)
            self._late.put_nowait((time.monotonic() + self._proxy.delay_s, data))

    async def _reply(self) -> None:
        while data := await self._next_reply():
            if self._awaited:
                self._awaited = False
                self._proxy.round_trips += 1
            self._client[1].write(data)
            await self._client[1].drain()

    async def _next_reply(self) -> bytes:
        due, data = await self._late.get()
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        await self._proxy.replies_flow()
        return data


@asynccontextmanager
async def counting_proxy(url: str) -> AsyncIterator[CountingProxy]:
    """A proxy before the server at `url`: `postgresql://…`, `redis://…` or `unix://…`."""
    route = route_to(url)
    with TemporaryDirectory(prefix="proxy-") as folder:  # short: a socket's path has 107 bytes
        socket = Path(folder) / route.socket_name
        proxy = CountingProxy(route, socket)
        server = await asyncio.start_unix_server(proxy.serve, socket)
        try:
            yield proxy
        finally:
            server.close()
            await proxy.aclose()
