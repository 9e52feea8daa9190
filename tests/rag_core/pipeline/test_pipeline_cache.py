"""The pipeline and its caches: an answer is served again only while its evidence stands."""

from __future__ import annotations

import pytest

from rag_core.adapters.generators import ScriptItem
from rag_core.domain import NO_USAGE, Provenance, Tokenizer, UserId
from rag_core.errors import ProviderRejected, ProviderTimeout, ProviderUnavailable, RagError
from tests.rag_core.library import edited, note
from tests.rag_core.scene import ANSWER, Scene, open_scene, settings_for

DAY_S = 86_400


async def test_an_answer_is_fresh_then_cached_and_costs_nothing_the_second_time(
    scene: Scene,
) -> None:
    first, second = await scene.ask(), await scene.ask("  what does PAUL call\ngrace? ")
    assert (first.provenance, second.provenance) == (Provenance.FRESH, Provenance.CACHED)
    assert (second.text, second.citations, second.evidence) == (
        first.text,
        first.citations,
        first.evidence,
    )
    assert (second.usage, second.cost_usd) == (NO_USAGE, 0.0)
    assert (scene.generator.calls, scene.embedder.calls) == (1, 1)


async def test_an_unrelated_edit_leaves_the_answer_revalidated(scene: Scene) -> None:
    await scene.ask("What is the harvest short of?")
    await scene.store(edited(note("storm"), "Waves", "Billows"))
    seen = [(await scene.ask("What is the harvest short of?")).provenance for _ in range(2)]
    assert seen == [Provenance.REVALIDATED, Provenance.CACHED]
    assert scene.generator.calls == 1


async def test_an_edit_of_the_cited_note_makes_a_fresh_answer(scene: Scene) -> None:
    await scene.ask()
    await scene.store(edited(note("grace"), "gift", "present"))
    assert (await scene.ask()).provenance is Provenance.FRESH
    assert "present" in scene.generator.prompts[-1].context.render()
    assert (await scene.ask()).provenance is Provenance.CACHED


async def test_new_metadata_of_the_cited_note_makes_a_fresh_answer(scene: Scene) -> None:
    await scene.ask()
    await scene.store(note("grace", tags=("gift",)))
    assert (await scene.ask()).provenance is Provenance.FRESH


async def test_deleting_the_cited_note_ends_the_answer_at_once(scene: Scene) -> None:
    await scene.ask()
    await scene.delete("grace")
    assert (await scene.ask()).provenance is Provenance.NO_CONTEXT


async def test_no_context_is_kept_until_a_note_matches(scene: Scene) -> None:
    question = "Who grumbled about vineyard wages?"
    assert [(await scene.ask(question)).provenance for _ in range(2)] == [Provenance.NO_CONTEXT] * 2
    assert scene.embedder.calls == 1
    await scene.store(edited(note("storm"), "Waves", "Billows"))
    assert (await scene.ask(question)).provenance is Provenance.NO_CONTEXT
    await scene.store(note("vineyard"))
    assert (await scene.ask(question)).provenance is Provenance.FRESH


async def test_another_users_equal_question_never_meets_the_entry(
    scene: Scene, other_user: UserId
) -> None:
    mine = await scene.ask()
    assert (await scene.ask(user=other_user)).provenance is Provenance.NO_CONTEXT
    await scene.store(
        note(
            "grace",
            "Grace before meals: say thanks. Paul ate.",
        ),
        user=other_user,
    )
    theirs = await scene.ask(user=other_user)
    assert theirs.provenance is Provenance.FRESH
    assert theirs.citations[0].quote.startswith("Grace before meals")
    assert (await scene.ask()).citations == mine.citations


async def test_the_soft_ttl_ends_freshness_to_the_second(scene: Scene) -> None:
    await scene.ask()
    scene.clock.advance(DAY_S - 1)
    assert (await scene.ask()).provenance is Provenance.CACHED
    scene.clock.advance(1)
    assert (await scene.ask()).provenance is Provenance.FRESH


async def test_revalidation_does_not_prolong_the_soft_ttl(scene: Scene) -> None:
    await scene.ask("What is the harvest short of?")
    scene.clock.advance(DAY_S - 1)
    await scene.store(edited(note("storm"), "Waves", "Billows"))
    assert (await scene.ask("What is the harvest short of?")).provenance is Provenance.REVALIDATED
    scene.clock.advance(1)
    assert (await scene.ask("What is the harvest short of?")).provenance is Provenance.FRESH


async def test_between_the_ttls_an_answer_is_served_only_while_no_provider_answers(
    database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    """… and its evidence stands, and its hard TTL has not ended."""
    down = ProviderUnavailable("the provider is down")
    script: list[ScriptItem] = [ANSWER, down, down, ANSWER, down]
    async with open_scene(settings_for(database_url), user, tokenizer, script) as scene:
        await scene.store(note("grace"), note("storm"))
        await scene.ask()
        scene.clock.advance(2 * DAY_S)
        stale = await scene.ask()
        assert (stale.provenance, stale.text, stale.cost_usd) == (Provenance.STALE, ANSWER, 0.0)
        await scene.store(edited(note("grace"), "gift", "present"))
        with pytest.raises(ProviderUnavailable):
            await scene.ask()
        assert (await scene.ask()).provenance is Provenance.FRESH
        scene.clock.advance(7 * DAY_S)
        with pytest.raises(ProviderUnavailable):
            await scene.ask()


@pytest.mark.parametrize(
    "error",
    [ProviderTimeout("no answer within 30 s"), ProviderRejected("no such model", status=404)],
)
async def test_a_providers_error_comes_through_and_nothing_is_kept(
    database_url: str, user: UserId, tokenizer: Tokenizer, error: RagError
) -> None:
    script: list[ScriptItem] = [error, ANSWER]
    async with open_scene(settings_for(database_url), user, tokenizer, script) as scene:
        await scene.store(note("grace"))
        with pytest.raises(type(error)):
            await scene.ask()
        assert (await scene.ask()).provenance is Provenance.FRESH
