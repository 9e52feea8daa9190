from __future__ import annotations

import math

import numpy as np
import pytest

from evals.measures.scores import (
    Score,
    Scored,
    Unscored,
    aggregate,
    count_events,
    paired_difference,
    scored,
    share,
)


def test_nan_and_infinities_never_become_a_score(subtests: pytest.Subtests) -> None:
    for value in [math.nan, math.inf, -math.inf]:
        with subtests.test(value=value):
            assert scored(value) == Unscored("not a number")
            with pytest.raises(ValueError, match="finite"):
                Scored(value)


def test_a_share_of_nothing_is_unscored_with_the_reason() -> None:
    assert share(1, 4, nothing="none") == Scored(0.25)
    assert share(0, 0, nothing="cites nothing") == Unscored("cites nothing")


def test_an_aggregate_counts_what_it_could_not_score_and_leaves_it_out_of_the_mean() -> None:
    rows: list[Score] = [Scored(1.0), Unscored("timeout"), Scored(0.0), Unscored("timeout")]
    found = aggregate("recall", rows)
    assert (found.value, found.n, found.unscored) == (0.5, 2, 2)
    assert found.reasons == {"timeout": 2}


def test_an_aggregate_of_nothing_has_no_value_and_says_why() -> None:
    found = aggregate("recall", [Unscored("judge down")])
    assert (found.value, found.low, found.high, found.n) == (None, None, None, 0)
    assert str(found) == "recall: not scored (judge down)"
    assert str(aggregate("recall", [])) == "recall: not scored (nothing was asked)"


def test_one_question_has_a_value_but_no_interval() -> None:
    found = aggregate("recall", [Scored(0.5)])
    assert (found.value, found.low, found.high) == (0.5, None, None)
    assert str(found) == "recall: 0.500 (n=1)"


def test_the_interval_is_the_percentile_bootstrap() -> None:
    """For normal data the bootstrap of a mean agrees with mean ± 1.96 standard errors."""
    values = np.random.default_rng(5).normal(10, 2, 400)
    found = aggregate("ms", [Scored(float(value)) for value in values])
    margin = 1.96 * values.std() / math.sqrt(400)
    assert found.low == pytest.approx(values.mean() - margin, abs=0.012)
    assert found.high == pytest.approx(values.mean() + margin, abs=0.012)


def test_the_interval_repeats_for_a_seed_and_moves_with_another() -> None:
    rows = [Scored(float(value)) for value in np.random.default_rng(1).random(30)]
    assert aggregate("x", rows, seed=3) == aggregate("x", rows, seed=3)
    assert aggregate("x", rows, seed=3).low != aggregate("x", rows, seed=4).low


def test_quantiles_are_those_of_the_values() -> None:
    rows = [Scored(float(value)) for value in range(101)]
    assert aggregate("ms", rows, statistic="p50").value == 50
    p95 = aggregate("ms", rows, statistic="p95")
    assert p95.value == 95
    assert p95.low is not None
    assert p95.low < 95


def test_a_proportion_without_spread_still_has_an_interval() -> None:
    """Ten of ten is no proof of perfection: 0.025 ** (1 / 10) = 0.6915."""
    perfect = aggregate("recall", [Scored(1.0)] * 10, proportion=True)
    assert perfect.low == pytest.approx(0.6915, abs=1e-4)
    assert perfect.high == 1.0
    hopeless = aggregate("recall", [Scored(0.0)] * 10, proportion=True)
    assert hopeless.low == 0.0
    assert hopeless.high == pytest.approx(0.3085, abs=1e-4)
    free = aggregate("cost_usd", [Scored(0.0)] * 10)
    assert (free.low, free.high) == (0.0, 0.0)


def test_no_events_of_few_questions_bound_the_share_less_than_of_many() -> None:
    few = count_events("leaks", [Scored(0.0)] * 10)
    many = count_events("leaks", [Scored(0.0)] * 1000 + [Unscored("timeout")])
    assert (few.events, few.n) == (0, 10)
    assert few.high == pytest.approx(1 - 0.05**0.1)
    assert (many.events, many.n, many.unscored) == (0, 1000, 1)
    assert many.high == pytest.approx(1 - 0.05**0.001)


def test_events_and_the_questions_they_happened_to_are_counted_apart() -> None:
    found = count_events("leaks", [Scored(3.0), Scored(0.0)])
    assert (found.events, found.affected, found.n) == (3, 1, 2)
    assert count_events("leaks", [Unscored("timeout")]).high is None
    assert count_events("leaks", [Scored(2.0)]).high == 1.0


def test_a_paired_difference_sees_what_the_spread_between_questions_hides() -> None:
    levels = np.random.default_rng(2).random(50)
    baseline: dict[str, Score] = {f"q{i}": Scored(float(x)) for i, x in enumerate(levels)}
    candidate: dict[str, Score] = {f"q{i}": Scored(float(x) - 0.02) for i, x in enumerate(levels)}
    found = paired_difference("recall", baseline, candidate)
    assert found.value == pytest.approx(-0.02)
    assert found.high is not None
    assert found.high < 0


def test_a_question_missing_from_one_run_is_a_row_that_says_which() -> None:
    baseline: dict[str, Score] = {"a": Scored(1.0), "b": Scored(1.0), "c": Unscored("timeout")}
    candidate: dict[str, Score] = {"a": Scored(0.0), "b": Unscored("refused"), "c": Scored(1.0)}
    candidate["d"] = Unscored("odd")
    found = paired_difference("recall", baseline, candidate)
    assert (found.value, found.n, found.unscored) == (-1.0, 1, 3)
    assert set(found.reasons) == {
        "candidate: refused",
        "baseline: timeout",
        "both: not asked",
    }
