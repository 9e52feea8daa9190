"""One probe at a time for all workers; one that fails, is abandoned or killed makes room."""

from __future__ import annotations

import asyncio

import pytest

from rag_core.clock import ManualClock
from rag_core.guard import VIEW_S, Breaker
from tests.rag_core.guard.breaker.workers import FlakyStore, admitted, fail, opened


async def test_one_probe_at_a_time_for_all_and_three_good_ones_close_it(
    fleet: list[Breaker], clock: ManualClock
) -> None:
    await opened(fleet, clock, for_s=30)
    for _ in range(3):
        tickets = await asyncio.gather(*map(admitted, fleet), *map(admitted, fleet))
        ((prober, ticket),) = [
            (breaker, ticket)
            for breaker, ticket in zip([*fleet, *fleet], tickets, strict=True)
            if ticket
        ]
        clock.advance(VIEW_S)
        assert not any(await asyncio.gather(*map(admitted, fleet)))
        await prober.succeeded(ticket)
        clock.advance(VIEW_S)
    assert all(await asyncio.gather(*map(admitted, fleet)))


async def test_a_failed_probe_opens_it_for_all_for_the_whole_time_again(
    fleet: list[Breaker], clock: ManualClock
) -> None:
    await opened(fleet, clock, for_s=30)
    await fail(fleet[3])
    clock.advance(29.9)
    assert not any(await asyncio.gather(*map(admitted, fleet)))
    clock.advance(0.1)
    assert await admitted(fleet[5])


async def test_an_abandoned_probe_makes_room_for_another(
    fleet: list[Breaker], clock: ManualClock
) -> None:
    await opened(fleet, clock, for_s=30)
    await fleet[1].abandoned(await fleet[1].admit())
    assert await admitted(fleet[2])


@pytest.mark.parametrize("turns", [1, 2])
async def test_who_is_cancelled_while_asking_for_a_probe_makes_room_for_another(
    fleet: list[Breaker], clock: ManualClock, turns: int
) -> None:
    """Before or after it was granted."""
    await opened(fleet, clock, for_s=30)
    asking = asyncio.create_task(fleet[1].admit())
    for _ in range(turns):
        await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert asking.cancelled()
    assert await admitted(fleet[2])


async def test_a_killed_prober_is_replaced_when_its_lease_ends(
    fleet: list[Breaker], clock: ManualClock
) -> None:
    await opened(fleet, clock, for_s=30)
    lost = await fleet[1].admit()
    clock.advance(34.9)
    assert not await admitted(fleet[2])
    clock.advance(VIEW_S)
    ticket = await fleet[2].admit()
    await fleet[1].failed(lost)
    await fleet[2].succeeded(ticket)
    assert fleet[2].state == "half-open"


async def test_of_many_who_come_at_once_when_a_probe_is_due_one_asks_the_store(
    fleet: list[Breaker], store: FlakyStore, clock: ManualClock
) -> None:
    await opened(fleet, clock, for_s=30 - VIEW_S / 2)
    assert not await admitted(fleet[0])
    clock.advance(VIEW_S / 2)
    asked = store.asked
    tickets = await asyncio.gather(*(admitted(fleet[0]) for _ in range(100)))
    assert sum(ticket is not None for ticket in tickets) == 1
    assert store.asked - asked <= 3
