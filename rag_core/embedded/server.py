"""What the supervisor asks of a server, and how it keeps one alive."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from rag_core.errors import EmbeddedServerError

_log = logging.getLogger(__name__)


class Server(Protocol):
    """A server process that can be started again after it has died."""

    async def start(self) -> str:
        """Return the server's URL once it answers; raises EmbeddedServerError if it does not."""
        ...

    @property
    def is_running(self) -> bool:
        """Whether a process that was started has not ended yet."""
        ...

    async def wait(self) -> None:
        """Return when the process has ended."""
        ...

    async def stop(self) -> None:
        """End the process and return when it is gone; nothing happens if there is none."""
        ...


class KeptServer:
    """A server that is started when first wanted and again whenever it dies unasked."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._starting = asyncio.Lock()
        self._watch: asyncio.Task[None] | None = None
        self._url = ""
        self._revivals = 0

    async def ensure(self) -> str:
        """Return the URL of the running server, starting it if need be."""
        async with self._starting:
            if not self._server.is_running:
                self._url = await self._server.start()
                self._watch = asyncio.create_task(self._revive())
            return self._url

    async def stop(self) -> None:
        """End the server and do not start it again."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])
        async with self._starting:
            await self._server.stop()

    async def _revive(self) -> None:
        await self._server.wait()
        # Sooner at first; a server that dies again and again must not take a core.
        await asyncio.sleep(min(5.0, 0.05 * 2**self._revivals))
        self._revivals += 1
        try:
            await self.ensure()
        except EmbeddedServerError as error:
            _log.error("could not start a server again: %s", error)
