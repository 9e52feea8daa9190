"""Time as a dependency: the system's clock, one that a test moves by hand, and what recurs."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import Context
from typing import Protocol

from rag_core.cancelling import cancel_for_good

WATCH_S = 15.0
"""Seconds between two looks of a process; as often as Prometheus scrapes in `deploy/prometheus`."""

_LOG = logging.getLogger(__name__)


class Clock(Protocol):
    """Where the time comes from; everything that waits or expires takes one."""

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds` of this clock."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """See `Clock`."""
        return time.time()

    def monotonic(self) -> float:
        """See `Clock`."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """See `Clock`."""
        await asyncio.sleep(seconds)


class ManualClock:
    """A clock that stands still until `advance` is called; sleeping moves it at once."""

    def __init__(self, start_s: float = 1_800_000_000.0) -> None:
        self._now = start_s

    def now(self) -> float:
        """See `Clock`."""
        return self._now

    def monotonic(self) -> float:
        """See `Clock`."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Move the clock at once; others get a turn."""
        self.advance(seconds)
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        """Move the clock forward by `seconds` (>= 0)."""
        if seconds < 0:
            raise ValueError(f"seconds must be >= 0, got {seconds!r}")
        self._now += seconds


@asynccontextmanager
async def recurring(
    name: str, work: Callable[[], Awaitable[object]], every_s: float, clock: Clock
) -> AsyncIterator[None]:
    """Do `work` while the block runs: now, and again each time `every_s` seconds of `clock` later.

    Or a little sooner, that processes do not all do so at once. It belongs to no request. It ends
    with the block or with an error of `work`, which is logged.
    """

    async def repeat() -> None:
        while True:
            await work()
            await clock.sleep(every_s * random.uniform(0.8, 1))

    def say_why(ended: asyncio.Task[None]) -> None:
        if not ended.cancelled():
            _LOG.critical("%s: no more, until the next start", name, exc_info=ended.exception())

    task = asyncio.create_task(repeat(), context=Context())
    task.add_done_callback(say_why)
    try:
        yield
    finally:
        await cancel_for_good(task)
