"""Step 7, check: citations that resolve, flags, what it cost, and that a leak is refused."""

from __future__ import annotations

import pytest

from rag_core.domain import REFUSAL_TEXT, RULES, Flag, Provenance, Tokenizer, UserId
from rag_core.events import LeakBlocked
from tests.rag_core.library import note
from tests.rag_core.pipeline.leaking_generator import LeakingGenerator
from tests.rag_core.scene import ANSWER, Scene, open_scene, settings_for


async def test_an_answer_cites_the_users_note_and_says_what_it_took(scene: Scene) -> None:
    answer = await scene.ask()
    assert (answer.text, answer.provenance) == (ANSWER, Provenance.FRESH)
    (citation,) = answer.citations
    assert (citation.number, citation.note_id, citation.title) == (1, "grace", "On grace")
    body = note("grace").body
    assert body[citation.start : citation.end] == citation.quote
    assert (answer.generator, answer.model) == ("scripted", "scripted-v1")
    assert answer.flags == ()


async def test_citations_that_point_at_nothing_are_removed_and_flagged(
    database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    script = ["Grace is a gift [1]. Nobody earns it [7]. Paul says so [1, 9]."]
    async with open_scene(settings_for(database_url), user, tokenizer, script) as scene:
        await scene.store(note("grace"))
        answer = await scene.ask()
    assert answer.text == "Grace is a gift [1]. Nobody earns it. Paul says so [1]."
    assert Flag.CITATION_REMOVED in answer.flags
    assert [citation.number for citation in answer.citations] == [1]


async def test_an_answer_without_citations_is_flagged(
    database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    async with open_scene(settings_for(database_url), user, tokenizer, ["A gift."]) as scene:
        await scene.store(note("grace"))
        assert (await scene.ask()).flags == (Flag.UNCITED,)


async def test_an_answer_cut_by_its_budget_is_flagged(
    database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    settings = settings_for(database_url, output_tokens=8)
    script = ["Grace [1] is one two three four five six seven."]
    async with open_scene(settings, user, tokenizer, script) as scene:
        await scene.store(note("grace"))
        answer = await scene.ask()
    assert answer.flags == (Flag.OUTPUT_TRUNCATED,)
    assert answer.usage.output_tokens == 8


async def test_usage_is_priced(database_url: str, user: UserId, tokenizer: Tokenizer) -> None:
    async with open_scene(settings_for(database_url), user, tokenizer) as scene:
        await scene.store(note("grace"))
        answer = await scene.ask()
    assert answer.usage.input_tokens > 100
    assert answer.usage.output_tokens == len(ANSWER.split())
    expected = answer.usage.input_tokens * 0.0000002 + answer.usage.output_tokens * 0.0000006
    assert answer.cost_usd == pytest.approx(expected)


async def test_an_output_with_the_canary_is_refused_told_and_not_kept(
    database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    leaking = LeakingGenerator()
    settings = settings_for(database_url)
    async with open_scene(settings, user, tokenizer, generator=leaking) as scene:
        await scene.store(note("grace"))
        answer = await scene.ask()
        assert (answer.provenance, answer.text) == (Provenance.REFUSED, REFUSAL_TEXT)
        assert Flag.LEAK_BLOCKED in answer.flags
        assert answer.citations == ()
        assert answer.cost_usd > 0, "the provider charges for a leak, too"
        assert LeakBlocked("leaking", "leaking-v1") in scene.events
        assert (await scene.ask()).provenance is Provenance.FRESH
        assert leaking.calls == 2


async def test_an_output_with_the_systems_rules_is_refused(
    database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    rule = RULES.splitlines()[-2]
    async with open_scene(settings_for(database_url), user, tokenizer, [rule]) as scene:
        await scene.store(note("grace"))
        assert (await scene.ask()).text == REFUSAL_TEXT
