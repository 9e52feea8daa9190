"""Equal questions at once share one generation, streaming or not; what differs does not join."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from rag_core.domain import UserId
from tests.rag_core.held_generator import USAGE, HeldGenerator
from tests.rag_core.library import edited, note
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
)
from tests.rag_core.scene import ANSWER, QUESTION, Scene


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
