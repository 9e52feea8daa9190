"""What workers do with a breaker, and a store of its state that can be away."""

from __future__ import annotations

import asyncio

from rag_core.clock import ManualClock
from rag_core.errors import BreakerOpen, CacheUnavailable
from rag_core.guard import Breaker, Circuit, Held, MemoryBreakerStore, Ticket


class FlakyStore:
    """A store of this process that can be away; counts what it was asked."""

    def __init__(self, clock: ManualClock) -> None:
        self.inner = MemoryBreakerStore(clock)
        self.away = False
        self.asked = 0

    async def read(self) -> Held:
        self._ask()
        return await self.inner.read()

    async def swap(self, held: Held, circuit: Circuit) -> Held:
        self._ask()
        await asyncio.sleep(0)  # others come between
        after = await self.inner.swap(held, circuit)
        await asyncio.sleep(0)
        return after

    def _ask(self) -> None:
        self.asked += 1
        if self.away:
            raise CacheUnavailable("away")


async def fail(*breakers: Breaker, times: int = 1) -> None:
    for _ in range(times):
        for breaker in breakers:
            await breaker.failed(await breaker.admit())


async def admitted(breaker: Breaker) -> Ticket | None:
    try:
        return await breaker.admit()
    except BreakerOpen:
        return None


async def opened(fleet: list[Breaker], clock: ManualClock, *, for_s: float = 0.0) -> None:
    await fail(fleet[0], times=5)
    clock.advance(for_s)
