from __future__ import annotations

import pytest

from evals.measures.observations import Observation
from rag_core.domain import Answer, Provenance
from tests.evals.measures.observed import NOTHING_FOUND, REFUSED, answer, failed, question


def test_an_answer_that_gives_nothing_declines() -> None:
    for given in [
        NOTHING_FOUND,
        REFUSED,
        answer("Your notes do not answer this."),
        answer("“Your notes do not answer this”"),
        answer("Your  notes do not\nanswer this. [1]"),
        Answer("anything", Provenance.NO_CONTEXT),
    ]:
        assert given.declines


def test_an_answer_that_says_more_than_the_declining_sentence_answers() -> None:
    assert not answer("Your notes do not answer this. But Cain was proud [1].").declines
    assert not answer("Cain was proud [1].").declines


def test_an_observation_has_an_answer_or_an_error_and_never_both() -> None:
    assert failed().failure == "call failed: ProviderTimeout"
    with pytest.raises(ValueError, match="an answer or an error"):
        Observation(question(), None)
    with pytest.raises(ValueError, match="an answer or an error"):
        Observation(question(), NOTHING_FOUND, error="timeout")
