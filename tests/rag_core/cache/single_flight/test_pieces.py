"""Pieces of an answer: each listener gets every one, once and in order, whenever it comes."""

from __future__ import annotations

import asyncio

import pytest

from rag_core.cache import Emit, Flight, SingleFlight
from rag_core.domain import Answer
from rag_core.errors import ProviderUnavailable
from tests.rag_core.cache.parts import PATIENCE_S, Work, answer, settled
from tests.rag_core.cache.single_flight.callers import ask


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
