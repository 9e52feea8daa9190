"""Single-flight within a process: one work, whoever comes and goes."""

from __future__ import annotations

import asyncio
import gc

import pytest

from rag_core.answer import Answer
from rag_core.cache.flights import LocalFlights, NoFleet
from rag_core.errors import ProviderUnavailable
from tests.rag_core.cache.parts import Work, answer, settled


@pytest.fixture
async def work() -> Work:
    return Work()


@pytest.fixture
def flights() -> LocalFlights:
    return LocalFlights()


Asking = asyncio.Task[tuple[Answer, bool]]


async def ask(
    flights: LocalFlights, work: Work, *, times: int = 1, key: str = "key"
) -> list[Asking]:
    """So many callers that all wait by now."""
    tasks = [asyncio.create_task(flights.run(key, work)) for _ in range(times)]
    await settled(*tasks)
    return tasks


async def test_a_hundred_at_once_are_one_work_and_one_of_them_leads(
    flights: LocalFlights, work: Work
) -> None:
    tasks = await ask(flights, work, times=100)
    work.outcome.set_result(answer("done"))
    results = await asyncio.gather(*tasks)
    assert work.begun == 1
    assert {result.text for result, _ in results} == {"done"}
    assert [led for _, led in results].count(True) == 1


async def test_who_comes_after_the_landing_begins_anew(flights: LocalFlights, work: Work) -> None:
    work.outcome.set_result(answer())
    await flights.run("key", work)
    _, led = await flights.run("key", work)
    assert led
    assert work.begun == 2


async def test_the_leaders_going_away_does_not_end_the_work(
    flights: LocalFlights, work: Work
) -> None:
    leader, *followers = await ask(flights, work, times=3)
    leader.cancel()
    await settled(leader)
    assert leader.cancelled()
    late = await ask(flights, work)
    work.outcome.set_result(answer("done"))
    results = await asyncio.gather(*followers, *late)
    assert [result.text for result, _ in results] == ["done"] * 3
    assert (work.begun, work.cancelled) == (1, 0)


async def test_a_followers_going_away_disturbs_nobody(flights: LocalFlights, work: Work) -> None:
    leader, follower = await ask(flights, work, times=2)
    follower.cancel()
    await settled(follower)
    work.outcome.set_result(answer("done"))
    result, led = await leader
    assert (result.text, led, work.cancelled) == ("done", True, 0)


async def test_when_all_have_gone_away_the_work_is_cancelled_and_the_next_begins_anew(
    flights: LocalFlights, work: Work
) -> None:
    tasks = await ask(flights, work, times=3)
    for task in tasks:
        task.cancel()
    await settled(*tasks)
    (again,) = await ask(flights, work)
    assert (work.begun, work.cancelled) == (2, 1)
    work.outcome.set_result(answer("done"))
    assert (await again)[0].text == "done"


async def test_a_failure_reaches_all_that_wait_and_the_next_call_tries_anew(
    flights: LocalFlights, work: Work
) -> None:
    tasks = await ask(flights, work, times=5)
    work.outcome.set_exception(ProviderUnavailable("down"))
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(result) for result in results] == ["down"] * 5
    assert work.begun == 1
    healed = Work()
    healed.outcome.set_result(answer("done"))
    assert (await flights.run("key", healed))[0].text == "done"


async def test_work_that_fails_when_nobody_waits_any_more_complains_to_nobody(
    flights: LocalFlights,
) -> None:
    """No 'exception was never retrieved' from the event loop."""
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, said: complaints.append(said))

    async def failing() -> Answer:
        try:
            await asyncio.Event().wait()
        finally:
            raise ProviderUnavailable("broke while it was cleaning up")

    task = asyncio.create_task(flights.run("key", failing))
    await settled()
    task.cancel()
    await settled()
    del task
    gc.collect()
    assert complaints == []


async def test_different_keys_are_different_works(flights: LocalFlights) -> None:
    one, other = Work(), Work()
    tasks = [*await ask(flights, one, key="one"), *await ask(flights, other, key="other")]
    other.outcome.set_result(answer("other"))
    one.outcome.set_exception(ProviderUnavailable("down"))
    failed, went_well = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(failed, ProviderUnavailable)
    assert isinstance(went_well, tuple)
    assert went_well[0].text == "other"


async def test_without_a_fleet_every_caller_works(work: Work) -> None:
    work.outcome.set_result(answer("done"))
    results = [await NoFleet().run("key", work) for _ in range(2)]
    assert [(result.text, led) for result, led in results] == [("done", True)] * 2
    assert work.begun == 2
