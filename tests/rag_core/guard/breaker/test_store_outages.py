"""The store away or emptied: each worker is on its own, and what it found out is told later."""

from __future__ import annotations

import asyncio

from rag_core.clock import ManualClock
from rag_core.guard import VIEW_S, Breaker, MemoryBreakerStore
from tests.rag_core.guard.breaker.workers import FlakyStore, admitted, fail, opened


async def test_while_the_store_is_away_each_worker_is_on_its_own(
    fleet: list[Breaker], store: FlakyStore, clock: ManualClock
) -> None:
    await asyncio.gather(*map(admitted, fleet))
    store.away = True
    clock.advance(VIEW_S)
    await fail(fleet[0], times=5)
    assert not await admitted(fleet[0])
    assert await admitted(fleet[1])


async def test_a_store_that_is_away_is_asked_once_in_half_a_second(
    fleet: list[Breaker], store: FlakyStore, clock: ManualClock
) -> None:
    store.away = True
    await fail(fleet[0], times=3)
    assert store.asked == 1
    clock.advance(VIEW_S)
    await fail(fleet[0])
    assert store.asked == 2


async def test_what_a_worker_found_out_meanwhile_is_everyones_when_the_store_is_back(
    fleet: list[Breaker], store: FlakyStore, clock: ManualClock
) -> None:
    await asyncio.gather(*map(admitted, fleet))
    store.away = True
    clock.advance(VIEW_S)
    await fail(fleet[0], times=5)
    store.away = False
    clock.advance(VIEW_S)
    assert not await admitted(fleet[0])
    clock.advance(VIEW_S)
    assert not any(await asyncio.gather(*map(admitted, fleet)))


async def test_a_store_that_lost_everything_learns_the_state_again(
    fleet: list[Breaker], store: FlakyStore, clock: ManualClock
) -> None:
    await opened(fleet, clock)
    store.inner = MemoryBreakerStore(clock)
    clock.advance(VIEW_S)
    assert not await admitted(fleet[0])
    assert not await admitted(fleet[1])
