"""Single-flight within a process: one work, whoever comes and goes."""

from __future__ import annotations

import asyncio
import gc

import pytest

from rag_core.cache import Emit, Flight, NoFleet, SingleFlight
from rag_core.domain import Answer
from rag_core.errors import ProviderUnavailable
from tests.rag_core.cache.parts import PATIENCE_S, Work, answer, settled

Given = tuple[list[str], Answer, bool]
"""The pieces that a caller got, the answer, and whether it is the one that pays."""


@pytest.fixture
async def work() -> Work:
    return Work()


@pytest.fixture
def flights() -> SingleFlight:
    return SingleFlight()


async def take(flights: SingleFlight, work: Work, key: str = "key") -> Given:
    """One caller from its coming to its going."""
    async with flights.join(key, work)[0] as flight:
        pieces = [piece async for piece in flight.pieces()]
        return pieces, await flight.answer(), flight.claim()


async def ask(
    flights: SingleFlight, work: Work, *, times: int = 1, key: str = "key"
) -> list[asyncio.Task[Given]]:
    """So many callers that all wait by now."""
    tasks = [asyncio.create_task(take(flights, work, key)) for _ in range(times)]
    await settled(*tasks)
    return tasks


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


async def test_a_failure_reaches_all_that_wait_and_the_next_call_tries_anew(
    flights: SingleFlight, work: Work
) -> None:
    tasks = await ask(flights, work, times=5)
    work.outcome.set_exception(ProviderUnavailable("down"))
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(result) for result in results] == ["down"] * 5
    assert work.begun == 1
    healed = Work()
    healed.outcome.set_result(answer("done"))
    assert (await take(flights, healed))[1].text == "done"


@pytest.fixture
async def complaints() -> list[object]:
    """What the event loop has to complain of."""
    said: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))
    return said


async def test_work_that_fails_when_nobody_waits_any_more_complains_to_nobody(
    flights: SingleFlight, complaints: list[object]
) -> None:
    """No 'exception was never retrieved' from the event loop."""

    async def failing(emit: Emit) -> Answer:
        try:
            await asyncio.Event().wait()
        finally:
            raise ProviderUnavailable("broke while it was cleaning up")

    task = asyncio.create_task(take(flights, failing))  # type: ignore[arg-type]
    await settled()
    task.cancel()
    await settled()
    del task
    gc.collect()
    assert complaints == []


async def test_a_failure_after_one_of_its_callers_has_left_is_no_complaint_either(
    flights: SingleFlight, work: Work, complaints: list[object]
) -> None:
    leaves, stays = await ask(flights, work, times=2)
    leaves.cancel()
    await settled(leaves)
    work.outcome.set_exception(ProviderUnavailable("down"))
    with pytest.raises(ProviderUnavailable):
        await stays
    del leaves, stays
    gc.collect()
    assert complaints == []


async def test_different_keys_are_different_works(flights: SingleFlight) -> None:
    one, other = Work(), Work()
    tasks = [*await ask(flights, one, key="one"), *await ask(flights, other, key="other")]
    other.outcome.set_result(answer("other"))
    one.outcome.set_exception(ProviderUnavailable("down"))
    failed, went_well = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(failed, ProviderUnavailable)
    assert isinstance(went_well, tuple)
    assert went_well[1].text == "other"


# Pieces


async def test_whoever_comes_late_gets_the_pieces_from_the_first_on(
    flights: SingleFlight, work: Work
) -> None:
    (early,) = await ask(flights, work)
    work.emit("Grace ")
    (late,) = await ask(flights, work)
    work.emit("is ")
    await settled()
    (later,) = await ask(flights, work)
    work.emit("a gift.")
    work.outcome.set_result(answer())
    for pieces, *_ in await asyncio.gather(early, late, later):
        assert pieces == ["Grace ", "is ", "a gift."]


async def test_pieces_come_as_they_are_emitted_and_not_at_the_end(
    flights: SingleFlight, work: Work
) -> None:
    async with flights.join("key", work)[0] as flight:
        pieces = flight.pieces()
        await settled()
        for piece in ("Grace ", "is "):
            work.emit(piece)
            assert await anext(pieces) == piece
        assert not flight.landed
        await pieces.aclose()


async def test_who_begins_to_listen_when_the_work_has_ended_gets_everything(
    flights: SingleFlight, work: Work
) -> None:
    """It joined in time, and was busy with what it had got."""
    async with flights.join("key", work)[0] as flight:
        await settled()
        work.emit("Grace.")
        work.outcome.set_result(answer("Grace."))
        await settled()
        assert flight.landed
        for _ in range(2):
            async with asyncio.timeout(PATIENCE_S):
                assert [piece async for piece in flight.pieces()] == ["Grace."]
        assert (await flight.answer()).text == "Grace."


async def test_in_the_moment_of_landing_a_listener_gets_each_piece_once() -> None:
    """The task is done, and its callbacks have not run yet."""
    flight = Flight()

    async def at_once(emit: Emit) -> Answer:
        emit("Grace.")
        return answer("Grace.")

    flight.begin(at_once)
    heard: list[list[str]] = []

    async def listen() -> None:
        heard.append([piece async for piece in flight.pieces()])

    listeners = [asyncio.create_task(listen()) for _ in range(3)]
    for _ in range(50):
        if flight.landed:
            break
        await asyncio.sleep(0)
    listeners.append(asyncio.create_task(listen()))
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*listeners)
    assert heard == [["Grace."]] * 4


async def test_pieces_end_where_the_work_fails_and_the_answer_says_why(
    flights: SingleFlight, work: Work
) -> None:
    async with flights.join("key", work)[0] as flight:
        await settled()
        work.emit("Grace ")
        work.outcome.set_exception(ProviderUnavailable("cut"))
        assert [piece async for piece in flight.pieces()] == ["Grace "]
        with pytest.raises(ProviderUnavailable, match="cut"):
            await flight.answer()


async def test_a_listener_that_stops_takes_nobody_along(flights: SingleFlight, work: Work) -> None:
    stops, listens = await ask(flights, work, times=2)
    work.emit("Grace ")
    await settled()
    stops.cancel()
    await settled(stops)
    work.emit("is.")
    work.outcome.set_result(answer())
    pieces, _, pays = await listens
    assert pieces == ["Grace ", "is."]
    assert pays


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
