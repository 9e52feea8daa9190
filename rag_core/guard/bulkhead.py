"""So many calls to one dependency at once, so long a wait for a place, and no more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rag_core.errors import ConfigurationError, Overloaded


class Bulkhead:
    """Places for calls under way; whoever finds none in time is shed.

    Args:
        concurrency: the number of calls under way at once.
        queue_s: seconds that one more waits for a place.

    Raises:
        ConfigurationError: a value is out of range.
    """

    def __init__(self, name: str, *, concurrency: int = 100, queue_s: float = 1.0) -> None:
        if concurrency < 1:
            raise ConfigurationError(f"{name} concurrency", f"must be >= 1, got {concurrency!r}")
        if queue_s < 0:
            raise ConfigurationError(f"{name} queue_s", f"must be >= 0, got {queue_s!r}")
        self._name = name
        self._queue_s = queue_s
        self._places = asyncio.Semaphore(concurrency)
        self.in_flight = 0
        """The number of calls that have a place now."""
        self.shed = 0
        """The number of calls that found none in time."""

    @asynccontextmanager
    async def place(self, left_s: float) -> AsyncIterator[None]:
        """A place within the block, given within `left_s` seconds at the most.

        Raises:
            Overloaded: none came free in time.
        """
        if self._places.locked():
            await self._wait(min(self._queue_s, left_s))
        else:
            await self._places.acquire()  # at once
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1
            self._places.release()

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._places.acquire()
        except TimeoutError as error:
            self.shed += 1
            raise Overloaded(
                f"too many calls to {self._name} are under way", retry_after_s=self._queue_s
            ) from error
