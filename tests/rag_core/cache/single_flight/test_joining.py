"""Who comes while the work goes on joins it, and one pays; who comes later begins anew."""

from __future__ import annotations

import asyncio

from rag_core.cache import NoFleet, SingleFlight
from rag_core.errors import ProviderUnavailable
from tests.rag_core.cache.parts import Work, answer, settled
from tests.rag_core.cache.single_flight.callers import Given, ask, take


async def test_a_hundred_at_once_are_one_work_and_one_of_them_pays(
    flights: SingleFlight, work: Work
) -> None:
    tasks = await ask(flights, work, times=100)
    work.outcome.set_result(answer("done"))
    results = await asyncio.gather(*tasks)
    assert work.begun == 1
    assert {result.text for _, result, _ in results} == {"done"}
    assert [pays for *_, pays in results].count(True) == 1


async def test_who_comes_after_the_landing_begins_anew(flights: SingleFlight, work: Work) -> None:
    work.outcome.set_result(answer())
    await take(flights, work)
    *_, pays = await take(flights, work)
    assert pays
    assert work.begun == 2


async def test_a_landed_flight_is_not_joined_though_a_caller_is_still_in_it(
    flights: SingleFlight, work: Work
) -> None:
    """It reads at leisure; what it reads may be older than the newcomer."""
    async with flights.join("key", work)[0] as slow:
        work.outcome.set_result(answer("old"))
        await settled()
        assert slow.landed
        anew = Work()
        (newcomer,) = await ask(flights, anew)
        anew.outcome.set_result(answer("new"))
        assert (await newcomer)[1].text == "new"
        assert (await slow.answer()).text == "old"
        later = Work()
        (third,) = await ask(flights, later)
    await settled()
    assert later.cancelled == 0, "the old flight's end is not the new one's"
    later.outcome.set_result(answer("newer"))
    assert (await third)[1].text == "newer"


async def test_different_keys_are_different_works(flights: SingleFlight) -> None:
    one, other = Work(), Work()
    tasks = [*await ask(flights, one, key="one"), *await ask(flights, other, key="other")]
    other.outcome.set_result(answer("other"))
    one.outcome.set_exception(ProviderUnavailable("down"))
    failed, went_well = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(failed, ProviderUnavailable)
    assert isinstance(went_well, tuple)
    assert went_well[1].text == "other"


def test_work_left_over_in_an_event_loop_that_is_gone_is_not_joined() -> None:
    flights = SingleFlight()

    async def give_up() -> None:
        await ask(flights, Work())

    async def again() -> Given:
        work = Work()
        work.outcome.set_result(answer("done"))
        return await take(flights, work)

    asyncio.run(give_up())
    assert asyncio.run(again())[1].text == "done"


async def test_without_a_fleet_every_caller_works(work: Work) -> None:
    work.outcome.set_result(answer("done"))
    results = [await NoFleet().run("key", work) for _ in range(2)]
    assert [(result.text, led) for result, led in results] == [("done", True)] * 2
    assert work.begun == 2
