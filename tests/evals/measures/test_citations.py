from __future__ import annotations

import pytest

from evals.datasets.golden import Fact
from evals.measures.citations import citation_precision, citation_recall, fact_recall
from evals.measures.funnel import facts_cited
from evals.measures.scores import Scored, Unscored
from evals.measures.support import LightChecker
from evals.measures.vectors import Vectors
from rag_core.adapters.embedders import HashingEmbedder
from tests.evals.light_checks import light_checker
from tests.evals.measures.observed import (
    ABEL,
    BODIES,
    CAIN,
    GOLDEN,
    NOTHING_FOUND,
    answer,
    cite,
    failed,
    question,
    seen,
    unanswerable,
)

STRAY = cite(3, BODIES["ann"]["n2"], note="n2")


VECTORS = Vectors(HashingEmbedder())


@pytest.fixture
def checker() -> LightChecker:
    return light_checker(VECTORS)


def test_precision_is_the_share_of_cited_chunks_that_are_gold() -> None:
    observed = seen(answer("x", cite(1, CAIN), cite(2, ABEL), STRAY))
    assert citation_precision(observed, GOLDEN) == Scored(2 / 3)


def test_a_chunk_cited_under_two_numbers_counts_once() -> None:
    again = cite(1, CAIN)
    assert citation_precision(seen(answer("x", again, again, STRAY)), GOLDEN) == Scored(0.5)


def test_recall_is_the_share_of_gold_passages_that_are_cited() -> None:
    assert citation_recall(seen(answer("x", cite(1, CAIN), STRAY)), GOLDEN) == Scored(0.5)
    whole_note = cite(1, BODIES["ann"]["n1"])
    assert citation_recall(seen(answer("x", whole_note)), GOLDEN) == Scored(1.0)


def test_an_answer_that_cites_nothing_has_no_precision_but_recalls_nothing() -> None:
    assert citation_precision(seen("x"), GOLDEN) == Unscored("the answer cites nothing")
    assert citation_recall(seen("x"), GOLDEN) == Scored(0.0)
    assert citation_precision(seen(NOTHING_FOUND), GOLDEN) == Unscored("the answer declines")
    nowhere = citation_recall(seen("x", unanswerable()), GOLDEN)
    assert nowhere == Unscored("the question has no gold passage")


def test_a_fact_is_covered_when_the_cited_chunk_holds_nearly_all_of_its_quote() -> None:
    assert facts_cited(seen(answer("x", cite(1, CAIN))), GOLDEN) == Scored(0.5)
    most = cite(1, "showed a proud heart.")  # 21 of 26 characters: 0.81
    assert facts_cited(seen(answer("x", most)), GOLDEN) == Scored(0.5)
    assert facts_cited(seen(answer("x", STRAY)), GOLDEN) == Scored(0.0)
    part = cite(1, "a proud heart.")
    assert facts_cited(seen(answer("x", part)), GOLDEN) == Scored(0.0)


async def test_a_fact_is_recalled_when_the_answer_quotes_it(checker: LightChecker) -> None:
    assert await fact_recall(seen("Cain showed a proud heart [1]."), checker, VECTORS) == Scored(
        0.5
    )
    slip = "They say Cain shewed a proud heart [1]. And Abel offered in faith, it says [2]."
    assert await fact_recall(seen(slip), checker, VECTORS) == Scored(1.0)


async def test_a_fact_is_recalled_when_a_sentence_is_close_in_meaning(
    checker: LightChecker,
) -> None:
    assert await fact_recall(
        seen("Proud was the heart that Cain had [1]."), checker, VECTORS
    ) == Scored(0.5)


async def test_a_fact_that_the_answer_quotes_to_deny_it_is_not_recalled(
    checker: LightChecker,
) -> None:
    denial = "It is not true that Cain showed a proud heart [1]."
    assert await fact_recall(seen(denial), checker, VECTORS) == Scored(0.0)


async def test_a_close_sentence_with_another_name_does_not_recall_the_fact(
    checker: LightChecker,
) -> None:
    fact = Fact("A proud heart was in Cain.", "p1", "he and his offering")
    asked = question(facts=(fact,))
    assert await fact_recall(
        seen("A proud heart was in Abel [1].", asked), checker, VECTORS
    ) == Scored(0.0)
    assert await fact_recall(
        seen("A proud heart was in Cain [1].", asked), checker, VECTORS
    ) == Scored(1.0)


async def test_citing_the_right_chunk_without_stating_the_fact_covers_but_does_not_recall(
    checker: LightChecker,
) -> None:
    observed = seen(answer("The weather was fine [1].", cite(1, CAIN)))
    assert await fact_recall(observed, checker, VECTORS) == Scored(0.0)
    assert facts_cited(observed, GOLDEN) == Scored(0.5)


async def test_the_contrary_of_a_fact_in_other_words_does_not_recall_it(
    checker: LightChecker,
) -> None:
    contrary = "Cain did not have a proud heart [1]."
    assert await fact_recall(seen(contrary), checker, VECTORS) == Scored(0.0)


async def test_a_word_of_it_does_not_state_a_fact(checker: LightChecker) -> None:
    assert await fact_recall(seen("Cain [1]"), checker, VECTORS) == Scored(0.0)


async def test_a_declining_answer_recalls_nothing_and_a_failed_call_has_no_score(
    checker: LightChecker,
) -> None:
    assert await fact_recall(seen(NOTHING_FOUND), checker, VECTORS) == Scored(0.0)
    why = Unscored("call failed: ProviderTimeout")
    assert await fact_recall(failed(), checker, VECTORS) == why
    assert facts_cited(failed(), GOLDEN) == why
    assert citation_precision(failed(), GOLDEN) == why
    assert citation_recall(failed(), GOLDEN) == why
    no_facts = await fact_recall(seen("x", unanswerable()), checker, VECTORS)
    assert no_facts == Unscored("the question has no fact")
