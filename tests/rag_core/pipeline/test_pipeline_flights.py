"""Equal questions at once: whoever asks, streaming or not, shares one generation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Literal

import pytest

from rag_core.adapters.generators import Interrupted, ScriptItem
from rag_core.domain import (
    BROKEN_OFF_TEXT,
    REFUSAL_TEXT,
    RULES,
    Answer,
    Flag,
    Provenance,
    Tokenizer,
    UserId,
)
from rag_core.errors import ProviderTimeout, ProviderUnavailable
from rag_core.events import Answered, CacheLookedUp
from tests.rag_core.embedded.processes import eventually
from tests.rag_core.held_generator import USAGE, HeldGenerator
from tests.rag_core.library import edited, note
from tests.rag_core.scene import ANSWER, QUESTION, Scene, open_scene, settings_for

FRESH, CACHED, STALE = Provenance.FRESH, Provenance.CACHED, Provenance.STALE
DAY_S = 86_400

SENTENCES = [f"Grace is gift number {i}, as Paul has it in his letter [1]. " for i in range(20)]
"""Longer together than what is held back for fear of a leak."""
WHOLE = "".join(SENTENCES).strip()

Way = Literal["answer", "stream"]
ways = pytest.mark.parametrize("way", ["answer", "stream"])
Given = tuple[list[str], Answer]


@pytest.fixture
async def held() -> HeldGenerator:
    return HeldGenerator()


@pytest.fixture
async def scene(
    database_url: str, user: UserId, tokenizer: Tokenizer, held: HeldGenerator
) -> AsyncIterator[Scene]:
    settings = settings_for(database_url)
    async with open_scene(settings, user, tokenizer, generator=held) as scene:
        await scene.store(note("grace"), note("storm"))
        yield scene


def ask(scene: Scene, way: Way, question: str = QUESTION) -> asyncio.Task[Given]:
    """A question that is under way: the pieces, none without streaming, and the answer."""
    return asyncio.create_task(taken(scene, way, question))


async def taken(scene: Scene, way: Way, question: str = QUESTION) -> Given:
    if way == "stream":
        return await scene.stream(question)
    return [], await scene.ask(question)


async def joined(scene: Scene, count: int) -> None:
    """Return once so many questions wait for the same generation."""
    flights = scene.application.caches.flights
    await eventually(lambda: flights.waiting == [count])


def said(held: HeldGenerator, *sentences: str, call: int = -1) -> None:
    held.say(*sentences, call=call)
    held.end(call=call)


@pytest.mark.parametrize("first", ["answer", "stream"])
@pytest.mark.parametrize("second", ["answer", "stream"])
async def test_the_second_of_two_shares_the_generation_of_the_first_whichever_way_they_ask(
    scene: Scene, held: HeldGenerator, first: Way, second: Way
) -> None:
    leader = ask(scene, first)
    await held.asked()
    follower = ask(scene, second)
    await joined(scene, 2)
    said(held, *SENTENCES)
    (_, led), (pieces, followed) = await leader, await follower
    assert held.calls == 1
    assert (led.text, led.citations) == (followed.text, followed.citations)
    assert led.text == WHOLE
    assert {led.provenance, followed.provenance} == {FRESH, CACHED}
    assert sorted([led.usage.output_tokens, followed.usage.output_tokens]) == [
        0,
        USAGE.output_tokens,
    ]
    if second == "stream":
        assert "".join(pieces).strip() == WHOLE
        assert (len(pieces) > 1) == (first == "stream"), "its pieces, or else its whole"


async def test_two_streams_get_the_same_pieces_while_they_are_generated(
    scene: Scene, held: HeldGenerator
) -> None:
    """The second from the first piece on, though it comes late."""
    early = scene.application.pipeline.stream(QUESTION, scene.user)
    late = scene.application.pipeline.stream(QUESTION, scene.user)
    async with aclosing(early), aclosing(late):
        beginning = asyncio.ensure_future(anext(early))
        await held.asked()
        held.say(*SENTENCES[:10])
        first = await beginning
        assert await anext(late) == first
        assert held.open == 1, "it is still being generated"
        said(held, *SENTENCES[10:])
        rest = [piece async for piece in early], [piece async for piece in late]
    texts = [[piece for piece in pieces if isinstance(piece, str)] for pieces in rest]
    assert texts[0] == texts[1]
    assert "".join([str(first), *texts[0]]).strip() == WHOLE


async def test_eight_at_once_are_generated_once_and_paid_once(
    scene: Scene, held: HeldGenerator
) -> None:
    asking = [ask(scene, "stream" if i % 2 else "answer") for i in range(8)]
    await joined(scene, 8)
    await held.asked()
    said(held, ANSWER)
    answers = [answer for _, answer in await asyncio.gather(*asking)]
    assert held.calls == 1
    assert {answer.text for answer in answers} == {ANSWER}
    assert [answer.provenance for answer in answers].count(FRESH) == 1
    assert sum(answer.cost_usd > 0 for answer in answers) == 1
    assert costs_told(scene) == [max(answer.cost_usd for answer in answers)]
    stats = (await scene.application.pipeline.stats())["answer"]
    assert (stats.hits, stats.misses) == (7, 1)


def costs_told(scene: Scene) -> list[float]:
    """What the events say was paid."""
    answered = [event for event in scene.events if isinstance(event, Answered)]
    return [event.cost_usd for event in answered if event.cost_usd]


# Whoever goes away


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


# What is not shared


async def test_whoever_asks_after_a_change_does_not_join_a_generation_from_before(
    scene: Scene, held: HeldGenerator
) -> None:
    before = ask(scene, "answer")
    await held.asked()
    await scene.store(edited(note("grace"), "gift", "present"))
    after = ask(scene, "answer")
    await held.asked(times=2)
    assert "present" in held.prompts[-1].context.render()
    said(held, "Grace is a present [1].")
    assert (await after)[1].text == "Grace is a present [1]."
    said(held, "Grace is a gift [1].", call=0)
    assert (await before)[1].text == "Grace is a gift [1]."
    again = ask(scene, "answer")
    await held.asked(times=3)  # the later of the two that were kept is the older one
    said(held, "Grace is a present [1].")
    assert (await again)[1].text == "Grace is a present [1].", "and not served"


async def test_another_users_equal_question_is_not_shared(
    scene: Scene, held: HeldGenerator, other_user: UserId
) -> None:
    await scene.store(note("grace"), user=other_user)
    mine = ask(scene, "answer")
    await held.asked()
    theirs = asyncio.create_task(scene.ask(user=other_user))
    await held.asked(times=2)
    said(held, "Theirs [1].")
    assert (await theirs).text == "Theirs [1]."
    said(held, "Mine [1].", call=0)
    assert (await mine)[1].text == "Mine [1]."


# When it fails


@ways
async def test_a_failure_reaches_all_and_the_next_question_tries_anew(
    scene: Scene, held: HeldGenerator, way: Way
) -> None:
    asking = [ask(scene, way), ask(scene, "stream"), ask(scene, "answer")]
    await joined(scene, 3)
    await held.asked()
    held.fail(ProviderTimeout("no answer"))
    results = await asyncio.gather(*asking, return_exceptions=True)
    assert [str(result) for result in results] == ["no answer"] * 3
    again = ask(scene, way)
    await held.asked(times=2)
    said(held, ANSWER)
    assert (await again)[1].provenance is FRESH


@ways
async def test_what_breaks_off_in_the_middle_is_not_kept(
    scene: Scene, held: HeldGenerator, way: Way
) -> None:
    asking = [ask(scene, "stream"), ask(scene, way)]
    await joined(scene, 2)
    await held.asked()
    held.say(*SENTENCES[:10])
    held.fail(ProviderTimeout("cut off"))
    for pieces, answer in await asyncio.gather(*asking):
        assert Flag.BROKEN_OFF in answer.flags
        assert answer.text.endswith(BROKEN_OFF_TEXT)
        assert not pieces or "".join(pieces).split() == answer.text.split()
    assert (await scene.application.pipeline.stats())["answer"].entries == 0


DOWN = ProviderUnavailable("the provider is down")


@ways
async def test_between_the_ttls_the_old_answer_is_served_when_no_provider_can(
    scene: Scene, held: HeldGenerator, way: Way
) -> None:
    """Whole, to whoever streams; and to all who asked at once."""
    first = ask(scene, "answer")
    await held.asked()
    said(held, ANSWER)
    await first
    scene.clock.advance(2 * DAY_S)
    asking = [ask(scene, way) for _ in range(3)]
    await joined(scene, 3)
    await held.asked(times=2)
    held.fail(ProviderUnavailable("the provider is down"))
    given = await asyncio.gather(*asking)
    assert {answer.provenance for _, answer in given} == {STALE}
    for pieces, answer in given:
        assert (answer.text, answer.cost_usd) == (ANSWER, 0.0)
        assert pieces == ([] if way == "answer" else [ANSWER])
    assert held.calls == 2
    looked = [event.outcome for event in scene.events if isinstance(event, CacheLookedUp)]
    assert looked.count("stale") == 1


async def test_once_a_part_was_shown_no_other_answer_takes_its_place(
    database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    """An old answer would be usable, but its reader has seen the beginning of a new one."""
    script: list[ScriptItem] = [ANSWER, Interrupted(WHOLE, DOWN), Interrupted("Grace ", DOWN)]
    async with open_scene(settings_for(database_url), user, tokenizer, script) as scene:
        await scene.store(note("grace"))
        await scene.ask()
        scene.clock.advance(2 * DAY_S)
        pieces, answer = await scene.stream()
        assert Flag.BROKEN_OFF in answer.flags
        assert "".join(pieces).split() == answer.text.split()
        pieces, answer = await scene.stream()
        assert (pieces, answer.provenance) == ([ANSWER], STALE), "nothing was shown yet"


async def test_a_leak_is_refused_to_all(scene: Scene, held: HeldGenerator) -> None:
    asking = [ask(scene, "stream"), ask(scene, "answer")]
    await joined(scene, 2)
    await held.asked()
    said(held, *RULES.splitlines()[-2:])
    for pieces, answer in await asyncio.gather(*asking):
        assert (answer.provenance, answer.text) == (Provenance.REFUSED, REFUSAL_TEXT)
        assert "".join(pieces) in ("", REFUSAL_TEXT)
    assert held.calls == 1


async def test_a_stream_that_was_never_begun_asks_for_nothing(
    scene: Scene, held: HeldGenerator
) -> None:
    stream: AsyncGenerator[str | Answer, None] = scene.application.pipeline.stream(
        QUESTION, scene.user
    )
    await stream.aclose()
    assert held.calls == 0
