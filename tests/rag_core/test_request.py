"""A request binds what is done for it to its id, its deadline and its time budget."""

from __future__ import annotations

import asyncio

import pytest

from rag_core.clock import ManualClock
from rag_core.correlation import REQUEST_ID
from rag_core.domain import Answer, Provenance, Usage, UserId
from rag_core.events import Answered, Event, StepFinished, ignore
from rag_core.guard import budget_left, seconds_left, spend
from rag_core.request import Limits, Request

LIMITS = Limits(request_s=30.0, redis_s=0.05)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def request_of(clock: ManualClock, heard: list[Event] | None = None) -> Request:
    listener = ignore if heard is None else heard.append
    return Request(UserId("ann"), limits=LIMITS, clock=clock, listener=listener)


def test_no_two_requests_have_the_same_id(clock: ManualClock) -> None:
    assert len({request_of(clock).id for _ in range(100)}) == 100


def test_within_its_blocks_everyone_knows_its_id_and_what_it_has_left(clock: ManualClock) -> None:
    request = request_of(clock)
    for spent in (0.0, 0.02):
        with request.bound():
            assert REQUEST_ID.get() == request.id
            assert budget_left(99) == pytest.approx(0.05 - spent)
            spend(0.02)
    clock.advance(12)
    with request.bound():
        assert seconds_left(99) == 18.0
    assert (REQUEST_ID.get(), seconds_left(99), budget_left(99)) == ("", 99, 99)


def test_an_answer_has_time_of_its_own_to_be_kept(clock: ManualClock) -> None:
    request = request_of(clock)
    with request.bound():
        spend(0.05)
        with request.keeping():
            assert budget_left(99) == 0.05
            spend(0.03)
            assert budget_left(99) == pytest.approx(0.02)
        assert budget_left(99) == 0


def test_an_error_within_a_block_ends_it_all_the_same(clock: ManualClock) -> None:
    with pytest.raises(KeyError), request_of(clock).bound():
        raise KeyError("broken")
    assert (REQUEST_ID.get(), seconds_left(99), budget_left(99)) == ("", 99, 99)


def test_within_another_requests_block_a_block_is_its_own(clock: ManualClock) -> None:
    outer, inner = request_of(clock), request_of(clock)
    with outer.bound():
        with inner.bound():
            assert REQUEST_ID.get() == inner.id
        assert REQUEST_ID.get() == outer.id


async def test_tasks_begun_within_a_block_stay_bound_when_it_is_over(clock: ManualClock) -> None:
    async def later() -> tuple[str, float]:
        await asyncio.sleep(0)
        return REQUEST_ID.get(), seconds_left(99)

    requests = [request_of(clock) for _ in range(3)]
    tasks = []
    for request in requests:
        with request.bound():
            tasks.append(asyncio.create_task(later()))
    assert await asyncio.gather(*tasks) == [(request.id, 30.0) for request in requests]


def test_a_step_is_told_with_its_time_even_when_it_fails(clock: ManualClock) -> None:
    heard: list[Event] = []
    request = request_of(clock, heard)
    with request.step("embed"):
        clock.advance(0.25)
    clock.advance(0.5)
    with pytest.raises(KeyError), request.step("retrieve"):
        raise KeyError("broken")
    assert heard == [StepFinished("embed", 250.0), StepFinished("retrieve", 0.0, "KeyError")]


def test_the_end_is_told_once_with_the_whole_time_and_the_id(clock: ManualClock) -> None:
    heard: list[tuple[str, Event]] = []
    request = Request(
        UserId("ann"),
        limits=LIMITS,
        clock=clock,
        listener=lambda event: heard.append((REQUEST_ID.get(), event)),
    )
    with request.bound(), request.step("embed"):
        clock.advance(0.25)
    clock.advance(0.75)
    answer = Answer("Grace.", Provenance.FRESH, usage=Usage(3, 1), cost_usd=0.5, model="m")
    with request.bound():
        given = request.finish(answer)
    assert given.timings_ms == {"embed": 250.0, "total": 1000.0}
    assert heard[-1] == (
        request.id,
        Answered(Provenance.FRESH, "", "m", Usage(3, 1), 0.5, 1000.0),
    )
    assert {request_id for request_id, _ in heard} == {request.id}
