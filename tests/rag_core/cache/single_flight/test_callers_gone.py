"""Callers that go away: the work goes on for those who stay, and ends with the last."""

from __future__ import annotations

import asyncio

import pytest

from rag_core.cache import Emit, SingleFlight
from rag_core.domain import Answer
from tests.rag_core.cache.parts import Work, answer, settled
from tests.rag_core.cache.single_flight.callers import ask


async def test_the_leaders_going_away_does_not_end_the_work(
    flights: SingleFlight, work: Work
) -> None:
    leader, *followers = await ask(flights, work, times=3)
    leader.cancel()
    await settled(leader)
    assert leader.cancelled()
    late = await ask(flights, work)
    work.outcome.set_result(answer("done"))
    results = await asyncio.gather(*followers, *late)
    assert [result.text for _, result, _ in results] == ["done"] * 3
    assert [pays for *_, pays in results].count(True) == 1, "somebody pays all the same"
    assert (work.begun, work.cancelled) == (1, 0)


async def test_a_followers_going_away_disturbs_nobody(flights: SingleFlight, work: Work) -> None:
    leader, follower = await ask(flights, work, times=2)
    follower.cancel()
    await settled(follower)
    work.outcome.set_result(answer("done"))
    _, result, pays = await leader
    assert (result.text, pays, work.cancelled) == ("done", True, 0)


async def test_when_all_have_gone_away_the_work_is_cancelled_and_the_next_begins_anew(
    flights: SingleFlight, work: Work
) -> None:
    tasks = await ask(flights, work, times=3)
    for task in tasks:
        task.cancel()
    await settled(*tasks)
    (again,) = await ask(flights, work)
    assert (work.begun, work.cancelled) == (2, 1)
    work.outcome.set_result(answer("done"))
    assert (await again)[1].text == "done"


async def test_who_leaves_last_leaves_nothing_running(flights: SingleFlight) -> None:
    """What the work holds, such as a provider's connection, is given back by then."""
    cleaned_up = False

    async def tidy(emit: Emit) -> Answer:
        nonlocal cleaned_up
        try:
            await asyncio.Event().wait()
        finally:
            await settled()
            cleaned_up = True
        raise AssertionError("the event is never set")

    async with flights.join("key", tidy)[0]:
        await settled()
    assert cleaned_up


async def test_work_that_will_not_end_holds_nobody_for_long(
    flights: SingleFlight, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag_core.cache.single_flight.CLEAN_UP_S", 0.01)
    end = asyncio.Event()

    async def stubborn(emit: Emit) -> Answer:
        try:
            await asyncio.Event().wait()
        finally:
            await end.wait()
        raise AssertionError("the event is never set")

    async with flights.join("key", stubborn)[0]:
        await settled()
    end.set()
    await settled()
