"""Which weight of BM25 is said to find most, and on which questions it is tried."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from evals.datasets.golden import RETRIEVAL, SMALL, GoldenQuestion, GoldenSet, Scenario, load
from evals.datasets.golden_checks import check_folder, validate
from evals.fit.fusion import BESIDE, CHOSEN_BY, FusionFit, as_text
from evals.measures.scores import Scored

GOLDEN = Path(__file__).parents[3] / "golden"


def question(name: str, phrasing: str) -> GoldenQuestion:
    return GoldenQuestion(
        id=name,
        user="u",
        question="Why?",
        scenario=Scenario.SINGLE_NOTE,
        gold=("p",),
        group=name,
        phrasing="close" if phrasing == "close" else "other_words",
    )


@pytest.fixture
def fit() -> FusionFit:
    """Words help one close question; where they weigh most they spoil three in other words."""
    names = ["c", *(f"o{number}" for number in range(12))]
    questions = {name: question(name, "close" if name == "c" else "other") for name in names}

    def scores(close: float, spoilt: int) -> dict[str, dict[str, Scored]]:
        values = {name: float(number > spoilt) for number, name in enumerate(names)} | {"c": close}
        rows = {name: Scored(value) for name, value in values.items()}
        return {CHOSEN_BY: rows, BESIDE: rows}

    return FusionFit(questions, {0.0: scores(0.0, 3), 0.01: scores(1.0, 3), 0.02: scores(1.0, 6)})


def test_the_weight_of_the_best_mean_is_best(fit: FusionFit) -> None:
    assert fit.best == 0.01
    assert fit.mean(0.01) == pytest.approx(10 / 13)
    assert fit.mean(0.02, phrasing="close") == 1.0
    assert fit.mean(0.02, phrasing="other_words") == pytest.approx(6 / 12)


def test_of_equal_weights_the_least_is_best(fit: FusionFit) -> None:
    equal = FusionFit(fit.questions, {0.03: fit.scores[0.01], **fit.scores})
    assert equal.best == 0.01


def test_each_weight_is_shown_with_what_it_gains_and_the_deployed_one_is_named(
    fit: FusionFit,
) -> None:
    shown = as_text(fit, 0.005)
    assert "0.769" in shown
    assert "+0.077" in shown
    assert "Best mean of recall@5: 0.01; deployed is RAG_LEXICAL_WEIGHT=0.005" in shown


@pytest.fixture(scope="module")
def reported() -> GoldenSet:
    return load(GOLDEN)


def test_questions_for_retrieval_agree_with_the_notes_they_are_asked_of() -> None:
    assert check_folder(GOLDEN / SMALL) == []
    assert validate(replace(load(GOLDEN, RETRIEVAL), planted=())) == []


def test_what_retrieval_is_fitted_to_rests_on_no_note_that_is_reported_on(
    reported: GoldenSet,
) -> None:
    fitted = [*load(GOLDEN, RETRIEVAL).questions, *load(GOLDEN / SMALL).questions]
    assert {asked.split for asked in fitted} == {"dev"}
    tested = {
        (reported.passages[passage].user, reported.passages[passage].note)
        for asked in reported.questions
        if asked.split == "test"
        for each in (*asked.gold_sets, asked.foreign_gold)
        for passage in each
    }
    places = reported.passages
    assert tested.isdisjoint(
        (places[passage].user, places[passage].note)
        for asked in fitted
        for passage in asked.gold
        if passage in places
    )
    assert {asked.user for asked in fitted}.isdisjoint({"golden-modern"})
