"""A Valkey of a test's own, to be frozen, killed and restarted."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from rag_core.embedded import StackHome, ValkeyServer
from tests.rag_core.embedded.processes import pid_of


class OwnValkey:
    """A running server; `url` stays the same over restarts."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._server = ValkeyServer(StackHome.prepare(home))
        self.url = ""

    async def start(self) -> None:
        """Return once it answers; nothing of an earlier life is left."""
        self.url = await self._server.start()

    async def kill(self) -> None:
        """End it without a goodbye."""
        os.kill(self._pid, signal.SIGKILL)
        await self._server.wait()

    async def stop(self) -> None:
        await self._server.stop()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Within the block the process stands still: it is there, but does nothing."""
        pid = self._pid
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    @property
    def _pid(self) -> int:
        return pid_of(self._home, "valkey-server")


@asynccontextmanager
async def own_valkey(home: Path) -> AsyncIterator[OwnValkey]:
    server = OwnValkey(home)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
