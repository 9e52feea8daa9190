"""The funnel of facts, and what was observed of how an answer was made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from evals.datasets.corpus import held_open, ingest_golden
from evals.datasets.golden import Scenario, load
from evals.measures.asking import ask_golden
from evals.measures.funnel import facts_cited, facts_found, facts_in_context
from evals.measures.observations import Observation
from evals.measures.scores import Scored, Unscored
from evals.project import project_settings
from rag_core.bootstrap import assemble
from rag_core.domain import Context, Hit, Provenance, Source
from tests.evals.measures.observed import (
    ABEL,
    CAIN,
    FACTS,
    GOLDEN,
    REFUSED,
    answer,
    cite,
    failed,
    hit,
    question,
    seen,
)

ARK = "The ark rested upon mount Ararat in the end."


def with_context(observation: Observation, *pieces: tuple[Hit, str]) -> Observation:
    sources = tuple(Source(n, found, text) for n, (found, text) in enumerate(pieces, start=1))
    return replace(observation, context=Context(sources))


def test_a_fact_is_lost_where_its_words_are_missing_first() -> None:
    observed = seen(answer("x"), None, hit(CAIN), hit(ABEL, position=1))
    observed = with_context(observed, (hit(CAIN), CAIN), (hit(ABEL), ABEL[:10]))
    assert facts_found(observed, GOLDEN) == Scored(1.0)
    assert facts_in_context(observed, GOLDEN) == Scored(0.5), "the second source was cut"
    assert facts_cited(observed, GOLDEN) == Scored(0.0)


def test_words_of_another_note_do_not_count() -> None:
    elsewhere = structs.replace(hit(CAIN), note_id="n2")
    assert facts_found(seen("x", None, elsewhere), GOLDEN) == Scored(0.0)


def test_a_refusal_finds_nothing_and_what_was_not_observed_is_unscored() -> None:
    refused = Observation(question(), REFUSED)
    assert facts_found(refused, GOLDEN) == facts_in_context(refused, GOLDEN) == Scored(0.0)
    unobserved = Observation(question(), answer("x"))
    assert facts_found(unobserved, GOLDEN) == Unscored("the hits were not observed")
    assert facts_in_context(failed(), GOLDEN) == Unscored("call failed: ProviderTimeout")
    bare = seen("x", question(facts=()))
    assert facts_found(bare, GOLDEN) == Unscored("the question has no fact")


def test_of_several_sets_of_gold_the_one_that_is_held_best_counts() -> None:
    either = question(gold=("p1", "p2"), alternatives=(("p1",), ("p2",)))
    assert facts_found(seen("x", either, hit(ABEL)), GOLDEN) == Scored(1.0)
    assert facts_found(seen("x", either, hit(ARK, note="n2")), GOLDEN) == Scored(0.0)


def test_a_set_of_gold_without_quotes_that_is_there_cannot_be_scored() -> None:
    either = question(gold=("p1", "p3"), alternatives=(("p1",), ("p3",)), facts=FACTS[:1])
    other = facts_cited(seen(answer("x", cite(1, ARK, note="n2")), either), GOLDEN)
    assert other == Unscored("another set of gold is there than the facts quote")
    assert facts_cited(seen(answer("x", cite(1, CAIN)), either), GOLDEN) == Scored(1.0)
    assert facts_cited(seen(answer("x"), either), GOLDEN) == Scored(0.0)


@pytest.mark.parametrize("limits", [{}, {"RAG_CONTEXT_TOKENS": "90", "RAG_TOP_K": "2"}])
async def test_what_is_observed_is_what_the_answer_was_made_of(
    sample: Path, monkeypatch: pytest.MonkeyPatch, limits: dict[str, str]
) -> None:
    """Every citation is a source of the observed context, every source one of the hits."""
    for name, value in limits.items():
        monkeypatch.setenv(name, value)
    golden = load(sample)
    async with held_open(project_settings()) as settings, assemble(settings) as application:
        await ingest_golden(application, golden)
        observations = await ask_golden(application, golden)
    for each in observations:
        assert each.answer is not None
        if not each.answer.evidence:
            assert each.question.scenario is Scenario.ATTACK
            assert each.ranking is None
            continue
        assert each.ranking is not None
        assert each.context is not None
        assert len(each.ranking.hits) <= int(limits.get("RAG_TOP_K", "5"))
        assert each.context.tokens <= int(limits.get("RAG_CONTEXT_TOKENS", "1200"))
        sources = {source.hit.chunk_id for source in each.context.sources}
        assert sources <= {found.chunk_id for found in each.ranking.hits}
        assert {cited.chunk_id for cited in each.answer.citations} <= sources


async def test_whoever_owns_the_notes_asks_first_and_has_the_answer_cached(sample: Path) -> None:
    golden = load(sample)
    (asked,) = (q for q in golden.questions if q.scenario is Scenario.OTHER_USERS_NOTES)
    owner = golden.passages[asked.foreign_gold[0]].user
    async with held_open(project_settings()) as settings, assemble(settings) as application:
        await ingest_golden(application, golden)
        observations = await ask_golden(application, golden)
        again = await application.pipeline.answer(asked.question, owner)
    assert again.provenance is Provenance.CACHED
    (observed,) = (each for each in observations if each.question == asked)
    assert observed.answer is not None
    assert observed.answer.provenance is not Provenance.CACHED
    assert observed.answer.text != again.text
