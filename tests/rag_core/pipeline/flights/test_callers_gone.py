"""Who goes away or takes its time holds up nobody else; the last to go ends the generation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from rag_core.domain import Answer
from tests.rag_core.held_generator import HeldGenerator
from tests.rag_core.pipeline.flights.asking import (
    CACHED,
    FRESH,
    SENTENCES,
    WHOLE,
    Way,
    ask,
    costs_told,
    joined,
    said,
    ways,
)
from tests.rag_core.scene import ANSWER, QUESTION, Scene


@ways
async def test_a_stream_that_is_not_read_to_its_end_takes_nobody_along(
    scene: Scene, held: HeldGenerator, way: Way
) -> None:
    """Though it was the one that began; and what it cost is told all the same."""
    async with aclosing(scene.application.pipeline.stream(QUESTION, scene.user)) as leader:
        beginning = asyncio.ensure_future(anext(leader))
        await held.asked()
        follower = ask(scene, way)
        await joined(scene, 2)
        held.say(*SENTENCES[:10])
        await beginning
    assert held.open == 1
    said(held, *SENTENCES[10:])
    pieces, answer = await follower
    assert (answer.text, answer.provenance) == (WHOLE, FRESH)
    assert way == "answer" or "".join(pieces).strip() == WHOLE
    assert answer.cost_usd > 0
    assert costs_told(scene) == [answer.cost_usd]


@ways
async def test_a_question_that_is_given_up_takes_nobody_along(
    scene: Scene, held: HeldGenerator, way: Way
) -> None:
    leader = ask(scene, way)
    await held.asked()
    follower = ask(scene, "answer")
    await joined(scene, 2)
    leader.cancel()
    await asyncio.wait([leader])
    assert leader.cancelled()
    said(held, ANSWER)
    assert (await follower)[1].text == ANSWER
    assert held.calls == 1


@ways
async def test_the_last_one_to_go_ends_the_generation_and_nothing_is_kept(
    scene: Scene, held: HeldGenerator, way: Way
) -> None:
    asking = [ask(scene, way), ask(scene, way)]
    await joined(scene, 2)
    await held.asked()
    held.say("Grace ")
    for one in asking:
        one.cancel()
    await asyncio.wait(asking)
    assert held.open == 0, "the provider's connection is given back"
    again = ask(scene, way)
    await held.asked(times=2)
    said(held, ANSWER)
    _, answer = await again
    assert (answer.text, answer.provenance) == (ANSWER, FRESH)


async def test_a_reader_that_takes_its_time_holds_nobody_up(
    scene: Scene, held: HeldGenerator
) -> None:
    """And gets everything in the end; whoever has the answer first pays."""
    async with aclosing(scene.application.pipeline.stream(QUESTION, scene.user)) as slow:
        first = asyncio.ensure_future(anext(slow))
        await held.asked()
        quick = ask(scene, "answer")
        await joined(scene, 2)
        said(held, *SENTENCES)
        beginning = str(await first)
        _, answer = await quick
        assert (answer.text, answer.provenance) == (WHOLE, FRESH)
        *pieces, last = [piece async for piece in slow]
    assert "".join([beginning, *map(str, pieces)]).strip() == WHOLE
    assert isinstance(last, Answer)
    assert (last.text, last.provenance) == (WHOLE, CACHED)


async def test_a_stream_that_was_never_begun_asks_for_nothing(
    scene: Scene, held: HeldGenerator
) -> None:
    stream: AsyncGenerator[str | Answer, None] = scene.application.pipeline.stream(
        QUESTION, scene.user
    )
    await stream.aclose()
    assert held.calls == 0
