"""A Postgres of the study's own, to be started anew, and what its processes used."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from evals.hnsw.tables import connected
from rag_core.embedded import PostgresServer, StackHome, ensure_database

_PATIENCE_S = 15.0
_SCHEDULED = 2
"""CPUCLOCK_SCHED of linux/posix-timers.h: what the scheduler has counted."""


class OwnServer:
    """A running server."""

    def __init__(self, server: PostgresServer, url: str) -> None:
        self._server, self.url = server, url

    async def restart(self) -> None:
        """Shut down and start again: its own buffers are empty, those of the system may not be."""
        await self._server.stop()
        await self._server.start()
        await ensure_database(self.url, patience_s=_PATIENCE_S)

    async def vacuum(self) -> None:
        """Tidy up and gather statistics, as autovacuum will in a while."""
        async with await connected(self.url) as connection:
            await connection.execute("VACUUM ANALYZE")


@asynccontextmanager
async def own_server(folder: Path) -> AsyncIterator[OwnServer]:
    """A server with its data in `folder`, with the settings of the embedded one.

    Raises:
        EmbeddedServerError: it does not start.
    """
    server = PostgresServer(StackHome.prepare(folder))
    url = await server.start()
    try:
        await ensure_database(url, patience_s=_PATIENCE_S)
        yield OwnServer(server, url)
    finally:
        await server.stop()


def cpu_s(pids: Iterable[int]) -> float:
    """CPU seconds that these processes have used; to the nanosecond where the kernel tells."""
    return sum(map(_cpu_s, pids))


def _cpu_s(pid: int) -> float:
    if sys.platform == "linux":  # what clock_getcpuclockid(3) makes of a process
        return time.clock_gettime(~pid << 3 | _SCHEDULED)
    times = psutil.Process(pid).cpu_times()  # in hundredths of a second
    return times.user + times.system


def own_bytes(pid: int) -> int:
    """Memory of a process that it shares with no other."""
    return int(psutil.Process(pid).memory_full_info().uss)
