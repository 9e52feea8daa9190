"""Places for requests under way: fewer while the process is late."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_core.clock import ManualClock
from rag_core.errors import Overloaded
from rag_core.guard import Deadline
from rag_core.throttle import DECREASE, LATE_S, LEAST, PERIOD_S, Concurrency, Place

LATE, IN_TIME = LATE_S * 1.01, LATE_S * 0.99


def period(places: Concurrency, clock: ManualClock, *reads: float, under_way: int = 0) -> None:
    """So many come at once and go again, some of whom read the stores; with the last it ends."""
    for place in [places.enter() for _ in range(under_way)]:
        if place:
            place.leave()
    for read in reads[:-1]:
        places.read(read)
    clock.advance(PERIOD_S)
    for read in reads[-1:]:
        places.read(read)


def test_there_is_a_place_for_as_many_as_the_limit_and_none_for_the_next() -> None:
    places = Concurrency(3, ManualClock())
    first, *others = [places.enter() for _ in range(5)]
    assert list(map(bool, others)) == [True, True, False, False]
    assert first
    first.leave()
    assert places.enter()
    assert places.reading == 3


async def test_who_has_read_and_waits_for_a_provider_keeps_nobody_out_of_a_late_process() -> None:
    clock = ManualClock()
    places = Concurrency(100, clock)
    for _ in range(20):
        period(places, clock, LATE, under_way=100)
    assert places.limit == LEAST

    async def reads() -> None:
        assert places.enter()
        places.read(IN_TIME)

    for _ in range(200):
        await asyncio.create_task(reads())
    assert (places.reading, places.staying) == (0, 0)
    assert places.enter()


async def test_only_so_many_stay_that_no_cache_answers() -> None:
    places = Concurrency(2, ManualClock())

    async def stays() -> Place | None:
        place = places.enter()
        places.read(IN_TIME)
        async with places.turn():
            return place

    first, _ = [await asyncio.create_task(stays()) for _ in range(2)]
    with pytest.raises(Overloaded):
        await asyncio.create_task(stays())
    assert (places.staying, places.reading) == (2, 0)
    assert first
    first.leave()
    await asyncio.create_task(stays())
    assert places.staying == 2


async def test_who_has_no_turn_at_the_embedder_is_shed_and_the_next_has_one_again() -> None:
    places = Concurrency(100, ManualClock(), embedded_at_once=1)
    places.enter()
    async with places.turn():
        with Deadline(0, ManualClock()).applied(), pytest.raises(Overloaded):
            async with places.turn():
                pass
    async with places.turn():
        pass


async def test_who_did_not_come_in_by_a_place_is_bound_by_nothing() -> None:
    places = Concurrency(1, ManualClock(), embedded_at_once=1)
    async with places.turn(), places.turn(), places.turn():
        assert places.staying == 0


def test_a_request_gives_back_one_place_however_often_it_reads() -> None:
    places = Concurrency(100, ManualClock())
    places.enter()
    place = places.enter()
    assert place
    places.read(IN_TIME)
    places.read(IN_TIME)
    place.leave()
    assert places.reading == 1


def test_without_a_limit_everybody_has_a_place() -> None:
    clock = ManualClock()
    places = Concurrency(0, clock)
    period(places, clock, *[LATE] * 50, under_way=1_000)
    assert all(places.enter() for _ in range(1_000))


async def test_without_a_limit_everybody_has_a_turn() -> None:
    places = Concurrency(0, ManualClock())
    places.enter()
    async with places.turn(), places.turn():
        assert places.staying == 0


def test_a_late_process_has_half_of_the_places_that_were_taken() -> None:
    clock = ManualClock()
    places = Concurrency(1_000, clock)
    period(places, clock, LATE, under_way=100)
    assert places.limit == DECREASE * 100


def test_however_many_there_were_lateness_brings_them_down_to_the_least_within_seconds() -> None:
    clock = ManualClock()
    places = Concurrency(100_000, clock)
    for _ in range(40):
        period(places, clock, LATE, under_way=100_000)
    assert places.limit == LEAST


def test_a_process_that_keeps_up_gets_them_back_as_they_are_wanted() -> None:
    clock = ManualClock()
    places = Concurrency(100, clock)
    for _ in range(20):
        period(places, clock, LATE, under_way=100)
    assert places.limit == LEAST
    period(places, clock, IN_TIME, under_way=LEAST - 1)
    assert places.limit == LEAST, "nobody wanted more"
    limits = []
    for _ in range(8):
        period(places, clock, IN_TIME, under_way=100)
        limits.append(places.limit)
    assert limits[-1] >= 2 * LEAST
    assert limits == sorted(limits)
    for _ in range(20):
        period(places, clock, IN_TIME, under_way=100)
    assert places.limit == 100


def test_one_stall_of_a_moment_is_no_reason_to_shed() -> None:
    clock = ManualClock()
    places = Concurrency(100, clock)
    period(places, clock, *[LATE] * 10, *[IN_TIME] * 11, under_way=20)
    assert places.limit == 100


@given(
    most=st.integers(1, 500),
    periods=st.lists(st.tuples(st.integers(0, 600), st.lists(st.sampled_from([LATE, IN_TIME])))),
)
def test_the_limit_stays_between_the_least_and_the_most_whatever_happens(
    most: int, periods: list[tuple[int, list[float]]]
) -> None:
    clock = ManualClock()
    places = Concurrency(most, clock)
    for under_way, reads in periods:
        period(places, clock, *reads, under_way=under_way)
        assert min(LEAST, most) <= places.limit <= most
        assert (places.reading, places.staying) == (0, 0)
