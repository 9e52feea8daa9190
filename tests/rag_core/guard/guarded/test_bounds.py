"""The deadline of a call, and how many there are at once."""

from __future__ import annotations

import asyncio

import pytest

from rag_core.clock import ManualClock, SystemClock
from rag_core.errors import (
    BreakerOpen,
    DeadlineExceeded,
    Overloaded,
    ProviderTimeout,
)
from rag_core.guard import Bulkhead, Deadline
from tests.rag_core.guard.guarded.calls import (
    FAILURES,
    MakeGuard,
    Provider,
    hang,
    on_real_time,
    outcome,
    outcomes,
)


async def test_a_call_sees_what_is_left_of_the_request_and_of_its_own_time(
    make: MakeGuard, clock: ManualClock
) -> None:
    provider = Provider("fine")
    await make(timeout_s=30).call(provider)
    with Deadline(7, clock).applied():
        await make(timeout_s=30).call(provider)
    assert provider.left_s == [30, 7]


async def test_nothing_is_called_when_the_requests_time_is_up(
    make: MakeGuard, clock: ManualClock
) -> None:
    provider = Provider("fine")
    with Deadline(0, clock).applied():
        assert await outcome(make(), provider) is DeadlineExceeded
    assert provider.calls == 0


async def test_a_call_that_hangs_ends_with_its_time_and_counts() -> None:
    guard = on_real_time(0.01)
    for _ in range(5):
        with pytest.raises(ProviderTimeout):
            await guard.call(hang)
    assert guard.open_for_s > 0


async def test_a_call_that_hangs_ends_with_the_requests_time() -> None:
    guard = on_real_time(30)
    for _ in range(5):
        with Deadline(0.01, SystemClock()).applied(), pytest.raises(DeadlineExceeded):
            await guard.call(hang)
    assert guard.open_for_s == 0, "it had less than half of its time"


async def test_a_request_that_gave_it_more_than_half_of_its_time_says_that_it_is_slow() -> None:
    guard = on_real_time(0.03)
    for _ in range(5):
        with Deadline(0.02, SystemClock()).applied(), pytest.raises(DeadlineExceeded):
            await guard.call(hang)
    assert guard.open_for_s > 0


async def test_so_many_at_once_and_no_more(make: MakeGuard) -> None:
    guard = make(concurrency=3)
    calls = [asyncio.create_task(guard.call(hang)) for _ in range(3)]
    await asyncio.sleep(0)
    assert guard.bulkhead.in_flight == 3
    with pytest.raises(Overloaded) as shed:
        await guard.call(hang)
    assert shed.value.retry_after_s is not None
    assert guard.bulkhead.shed == 1
    assert guard.open_for_s == 0
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    assert await guard.call(Provider("fine")) == "fine"
    assert guard.bulkhead.in_flight == 0


async def test_whoever_waits_for_a_place_gets_the_next_one(clock: ManualClock) -> None:
    bulkhead = Bulkhead("provider", concurrency=1, queue_s=60)
    async with bulkhead.place(60):
        waiting = asyncio.create_task(enter(bulkhead))
        await asyncio.sleep(0)
        assert not waiting.done()
    assert await waiting == 1
    assert bulkhead.shed == 0


async def enter(bulkhead: Bulkhead) -> int:
    async with bulkhead.place(60):
        return bulkhead.in_flight


async def test_an_open_breaker_takes_up_no_place(make: MakeGuard, clock: ManualClock) -> None:
    guard = make(concurrency=1)
    await outcomes(guard, Provider(FAILURES[0]), 5)
    async with guard.bulkhead.place(1):
        assert await outcome(guard, Provider("fine")) is BreakerOpen
    assert guard.bulkhead.shed == 0
