"""One state for all workers: failures count together, and views are half a second old at most."""

from __future__ import annotations

import asyncio

import pytest

from rag_core.clock import ManualClock
from rag_core.errors import BreakerOpen
from rag_core.events import BreakerChanged, Event
from rag_core.guard import VIEW_S, Breaker
from tests.rag_core.guard.breaker.workers import FlakyStore, admitted, fail, opened


async def test_failures_of_all_workers_count_together(fleet: list[Breaker]) -> None:
    await fail(*fleet[:4])
    assert fleet[4].state == "closed"
    await fail(fleet[4])
    assert fleet[4].state == "open"
    with pytest.raises(BreakerOpen) as refused:
        await fleet[4].admit()
    assert refused.value.retry_after_s == pytest.approx(30)


async def test_failures_at_the_same_moment_are_all_counted(fleet: list[Breaker]) -> None:
    tickets = [await breaker.admit() for breaker in fleet]
    both = zip(fleet, tickets, strict=True)
    await asyncio.gather(*(breaker.failed(ticket) for breaker, ticket in list(both)[:5]))
    assert "open" in {breaker.state for breaker in fleet[:5]}


async def test_every_worker_knows_of_it_after_half_a_second(
    fleet: list[Breaker], clock: ManualClock
) -> None:
    assert all([await admitted(breaker) for breaker in fleet])
    await opened(fleet, clock, for_s=VIEW_S)
    assert not any([await admitted(breaker) for breaker in fleet])


async def test_a_success_through_a_closed_breaker_asks_nobody(
    fleet: list[Breaker], store: FlakyStore, clock: ManualClock
) -> None:
    await fleet[0].admit()
    asked = store.asked
    for _ in range(100):
        clock.advance(VIEW_S / 101)
        await fleet[0].succeeded(await fleet[0].admit())
    assert store.asked == asked


@pytest.mark.parametrize("other", [0, 1])
async def test_a_failure_of_a_call_from_before_the_last_transition_is_not_counted(
    fleet: list[Breaker], clock: ManualClock, other: int
) -> None:
    """Whether or not its worker has seen the transition."""
    stragglers = [await fleet[0].admit() for _ in range(5)]
    await fail(fleet[other], times=5)
    clock.advance(30)
    for _ in range(3):
        await fleet[other].succeeded(await fleet[other].admit())
    for ticket in stragglers:
        await fleet[0].failed(ticket)
    await fail(fleet[0], times=4)
    assert fleet[0].state == "closed"


async def test_every_transition_is_an_event_once(clock: ManualClock) -> None:
    events: list[Event] = []
    breaker = Breaker("groq", clock=clock, listener=events.append)
    await fail(breaker, times=5)
    clock.advance(30)
    for _ in range(3):
        await breaker.succeeded(await breaker.admit())
    assert events == [
        BreakerChanged("groq", "closed", "open"),
        BreakerChanged("groq", "open", "half-open"),
        BreakerChanged("groq", "half-open", "closed"),
    ]


async def test_it_says_how_long_calls_are_refused(fleet: list[Breaker], clock: ManualClock) -> None:
    assert fleet[0].open_for_s == 0
    await opened(fleet, clock, for_s=12)
    assert fleet[0].open_for_s == pytest.approx(18)
    clock.advance(18)
    assert fleet[0].open_for_s == 0
    await fleet[0].admit()
    assert 0 < fleet[0].open_for_s <= VIEW_S
    clock.advance(VIEW_S)
    assert fleet[0].open_for_s == 0
