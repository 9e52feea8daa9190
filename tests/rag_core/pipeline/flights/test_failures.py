"""A shared generation that fails, breaks off or leaks: what all who asked get, and what is kept."""

from __future__ import annotations

import asyncio

from rag_core.adapters.generators import Interrupted, ScriptItem
from rag_core.domain import (
    BROKEN_OFF_TEXT,
    REFUSAL_TEXT,
    RULES,
    Flag,
    Provenance,
    Tokenizer,
    UserId,
)
from rag_core.errors import ProviderTimeout, ProviderUnavailable
from rag_core.events import CacheLookedUp
from tests.rag_core.held_generator import HeldGenerator
from tests.rag_core.library import note
from tests.rag_core.pipeline.flights.asking import (
    FRESH,
    SENTENCES,
    STALE,
    WHOLE,
    Way,
    ask,
    joined,
    said,
    ways,
)
from tests.rag_core.scene import ANSWER, Scene, open_scene, settings_for

DAY_S = 86_400
DOWN = ProviderUnavailable("the provider is down")


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
