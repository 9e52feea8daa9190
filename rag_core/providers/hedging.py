"""Hedging: a second provider is asked when the first is slower than it usually is.

Dean, Barroso: The Tail at Scale, CACM 56(2), 2013: hedged requests, deferred to a high quantile of
the expected latency and bounded as a share of all calls.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import Generic, TypeVar

from rag_core.cancelling import cancel_for_good
from rag_core.clock import Clock

T = TypeVar("T")

EXTRA_SHARE = 0.03
"""Of all calls: so many may be asked a second time."""
QUANTILE = 0.95
"""Of the latencies seen lately: who takes longer is slow."""
WINDOW = 500
"""Latencies that are remembered of each kind of call."""
FEWEST = 50
"""With fewer of them, nobody knows what is usual."""
BURST = 5.0
"""Extra calls that may be saved up."""


class Hedging:
    """When a call may be asked a second time; one for all calls of a router.

    The wait is the quantile at which the share of slower calls is what may be asked twice, and
    never below `QUANTILE`: else the allowance would be gone before the slowest come.
    """

    def __init__(self, extra_share: float = EXTRA_SHARE) -> None:
        self._share = extra_share
        self._saved = 0.0
        self._seen: dict[str, deque[float]] = {}
        self.calls = self.extra = 0
        """Calls that were made, and those of them that were hedges."""

    def earn(self) -> None:
        """A call is about to be made, which pays for its share of an extra one."""
        self.calls += 1
        self._saved = min(BURST, self._saved + self._share)

    def wait_s(self, kind: str) -> float | None:
        """Seconds after which a call of this kind is slow; None while that is not known."""
        seen = self._seen.get(kind, ())
        if len(seen) < FEWEST:
            return None
        rank = max(QUANTILE, 1 - self._share)
        return sorted(seen)[min(len(seen) - 1, int(rank * len(seen)))]

    def took(self, kind: str, seconds: float) -> None:
        """A call of this kind began to answer after so long."""
        self._seen.setdefault(kind, deque(maxlen=WINDOW)).append(seconds)

    def gave_up(self, kind: str, seconds: float) -> None:
        """A call of this kind was left after so long; of a slow one, that is known at least."""
        if (wait_s := self.wait_s(kind)) is not None and seconds >= wait_s:
            self.took(kind, seconds)

    def allowed(self) -> bool:
        """Whether one more extra call is paid for by earlier ones; takes it, if so."""
        if self._saved < 1:
            return False
        self._saved -= 1
        self.extra += 1
        return True


class _Reading(Generic[T]):
    """A stream that a task of its own reads, from beginning to end."""

    def __init__(self, items: AsyncGenerator[T, None]) -> None:
        self._items = items
        self._read: asyncio.Queue[T | None] = asyncio.Queue()
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done with the first item, or failed with what came instead."""
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            async for item in self._items:
                self._read.put_nowait(item)
                if not self.begun.done():
                    self.begun.set_result(None)
        except BaseException as error:
            if not self.begun.done():
                self.begun.set_exception(error)
                self.begun.exception()  # who lost the race is asked nothing
            raise
        finally:
            self._read.put_nowait(None)
            await self._items.aclose()

    async def items(self) -> AsyncGenerator[T, None]:
        while (item := await self._read.get()) is not None:
            yield item
        await self._task

    async def stop(self) -> None:
        await cancel_for_good(self._task)


async def hedged(
    first: AsyncGenerator[T, None],
    second: Callable[[], AsyncGenerator[T, None] | None],
    *,
    wait_s: float,
    clock: Clock,
) -> AsyncGenerator[T, None]:
    """The items of whichever stream begins first; `second` is begun when `first` is slow.

    The other one is closed. If one fails before it begins, the other is waited for.

    Raises:
        what the last one to fail raised.
    """
    readings = [_Reading(first)]
    timer = asyncio.create_task(clock.sleep(wait_s))
    try:
        await asyncio.wait([readings[0].begun, timer], return_when=asyncio.FIRST_COMPLETED)
        if not readings[0].begun.done() and (other := second()):
            readings.append(_Reading(other))
        winner = await _first_begun(readings)
        for reading in readings:
            if reading is not winner:
                await reading.stop()
        async for item in winner.items():
            yield item
    finally:
        timer.cancel()
        for reading in readings:
            await reading.stop()


async def _first_begun(readings: list[_Reading[T]]) -> _Reading[T]:
    waiting = list(readings)
    while True:
        await asyncio.wait([each.begun for each in waiting], return_when=asyncio.FIRST_COMPLETED)
        done = [each for each in waiting if each.begun.done()]
        for each in done:
            if each.begun.exception() is None:
                return each
        waiting = [each for each in waiting if each not in done]
        if not waiting:
            await done[-1].begun
