"""What a measure notices of planted answers, by the one rule, and what a release is held to."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from evals.measures.scores import Score, Scored, Unscored
from evals.measures.targets import TARGETS
from evals.measures.validity.validity import (
    PASSES,
    SCOREBOARD,
    PlantedRun,
    averages,
    differences,
    differing,
    meets_targets,
    validity,
)

QUESTIONS = [f"q{n}" for n in range(8)]
GROUPS = {question: question for question in QUESTIONS}


def planted(
    kind: str, *values: float, faulty: bool = True, by_rule: bool = False, **other: Score
) -> PlantedRun:
    """A run whose answers all score `values`, a value a question, in every measure."""
    row: Mapping[str, Score] = {q: Scored(v) for q, v in zip(QUESTIONS, values, strict=True)}
    rows = {measure: {**row, **other} for measure in SCOREBOARD}
    return PlantedRun(kind, faulty, rows, GROUPS, frozenset(QUESTIONS), by_rule=by_rule)


REAL = planted("real", *[1.0] * 4, *[0.0] * 4, faulty=False)
PERFECT = planted("paraphrase", *[1.0] * 6, 0.0, 0.0, faulty=False)


def test_what_fails_is_noticed_and_right_answers_that_fail_are_rejected() -> None:
    contradicted = planted("contradicted", *[0.0] * 6, 1.0, 1.0)
    first = validity(REAL, [contradicted, PERFECT])[0]
    assert first.noticed.value == 0.75
    assert first.rejected.value == 0.25
    assert first.by_kind["contradicted"].value == 0.75


def test_a_fault_made_by_rule_counts_only_where_the_answer_it_spoils_passes() -> None:
    negated = planted("negated", 0.0, *[1.0] * 3, *[0.0] * 4, by_rule=True)
    first = validity(REAL, [negated, PERFECT])[0]
    assert (first.noticed.value, first.noticed.n) == (0.25, 4)


def test_what_has_no_score_is_neither_noticed_nor_missed() -> None:
    silent = planted("silent", *[0.0] * 8, q0=Unscored("the answer declines"))
    first = validity(REAL, [silent, PERFECT])[0]
    assert (first.noticed.value, first.noticed.n, first.noticed.unscored) == (1.0, 7, 1)


def test_a_kind_that_fails_no_more_than_right_answers_do_is_out_of_reach() -> None:
    unseen = planted("roles", *[1.0] * 6, 0.0, 0.0)
    seen = planted("names", *[0.0] * 8)
    assert validity(REAL, [unseen, seen, PERFECT])[0].out_of_reach == ("roles",)


def test_runs_differ_where_more_than_luck_is_between_them() -> None:
    worse = planted("worse", *[0.0] * 8)
    better = planted("real", *[1.0] * 8, faulty=False)
    assert set(differing(differences(better, worse))) == set(SCOREBOARD)
    assert differing(differences(better, better)) == ()


@pytest.mark.parametrize("short", [each for each in PASSES if each in TARGETS])
def test_one_measure_below_its_target_or_without_a_value_is_enough_to_fail(short: str) -> None:
    means = averages(planted("all", *[1.0] * 8))
    assert meets_targets(means)
    below = averages(planted("half", *[0.5] * 8))[short]
    assert not meets_targets({**means, short: below})
    nothing = planted("none", *[1.0] * 8, **dict.fromkeys(QUESTIONS, Unscored("declines")))
    assert not meets_targets({**means, short: averages(nothing)[short]})
