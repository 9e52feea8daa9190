"""The process that owns a home's servers for as long as anyone uses them.

A user of the stack is a connection to the supervisor's control socket. The kernel closes it when
the user exits, crashes or is killed with -9, so nobody has to be trusted to say goodbye; when the
last one is gone, the servers are stopped and the supervisor ends. It holds the home's lock from
before its first user until after its last server, so there is never a second one. Should the
supervisor itself be killed, the kernel tells its servers to shut down (see `child.py`).

A user sends `{"servers": [name, …]}` and receives one line: `{"urls": {name: url}}` when
all of them are ready, or `{"problem": …, "fix": …}`. It stays connected while it uses them, then
closes its sending side and waits for ours to close: if it was the last, everything is gone by then.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import Mapping
from pathlib import Path

from rag_core.embedded.home import StackHome, remove_socket_folder
from rag_core.embedded.postgres import PostgresServer
from rag_core.embedded.server import KeptServer, Server
from rag_core.embedded.valkey import ValkeyServer
from rag_core.errors import EmbeddedServerError


class Supervisor:
    """Starts servers when a user wants them and stops them when the last user has gone."""

    def __init__(self, servers: Mapping[str, Server], *, first_user_patience_s: float = 10.0):
        self._servers = {name: KeptServer(server) for name, server in servers.items()}
        self._first_user_patience_s = first_user_patience_s
        self._users = 0
        self._ending = False
        self._change = asyncio.Event()
        self._connections: set[StreamWriter] = set()

    async def serve(self, listener: socket.socket) -> None:
        """Answer users on a listening Unix socket; return when all are gone and all is stopped."""
        path = listener.getsockname()
        server = await asyncio.start_unix_server(self._host, sock=listener)
        await self._until_unused()
        self._ending = True
        # Who connects from now on is cut off, and tries again once our lock is free.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        server.close()
        await asyncio.gather(*(kept.stop() for kept in self._servers.values()))
        for writer in self._connections:  # the last to leave waits for this
            writer.close()

    def end(self) -> None:
        """Stop everything now, users or not."""
        self._ending = True
        self._change.set()

    async def _until_unused(self) -> None:
        try:
            async with asyncio.timeout(self._first_user_patience_s):
                await self._change.wait()
        except TimeoutError:
            return
        while self._users and not self._ending:
            self._change.clear()
            await self._change.wait()

    async def _host(self, reader: StreamReader, writer: StreamWriter) -> None:
        if self._ending:
            writer.close()
            return
        self._users += 1
        self._connections.add(writer)
        self._change.set()
        try:
            await self._serve_user(reader, writer)
        except ConnectionError:
            pass  # killed while we spoke to it: gone like any other
        finally:
            self._users -= 1
            self._change.set()
            if self._users:
                writer.close()
                self._connections.discard(writer)

    async def _serve_user(self, reader: StreamReader, writer: StreamWriter) -> None:
        request = await reader.readline()
        if request:
            reply = await self._reply(json.loads(request)["servers"])
            writer.write(json.dumps(reply).encode() + b"\n")
            await writer.drain()
            await reader.read()

    async def _reply(self, names: list[str]) -> dict[str, object]:
        try:
            urls = await asyncio.gather(*(self._servers[name].ensure() for name in names))
        except EmbeddedServerError as error:
            return {"problem": error.problem, "fix": error.fix}
        return {"urls": dict(zip(names, urls, strict=True))}


async def _supervise(home: StackHome, listener: socket.socket) -> None:
    supervisor = Supervisor({"postgres": PostgresServer(home), "valkey": ValkeyServer(home)})
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, supervisor.end)
    await supervisor.serve(listener)
    remove_socket_folder(home.root, owner=os.geteuid())


def main() -> None:
    """Run as `python -m rag_core.embedded.supervisor HOME LISTENER_FD LOCK_FD`.

    Both descriptors come from the process that started us. The lock stays open, and so held,
    until this process has ended.
    """
    home, listener_fd, lock_fd = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    if os.fork():  # detached, so that whoever starts us need not reap us
        os._exit(0)
    os.set_inheritable(lock_fd, False)
    os.set_inheritable(listener_fd, False)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(_supervise(StackHome(home), socket.socket(fileno=listener_fd)))


if __name__ == "__main__":
    main()
