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


def test_the_interval_of_a_mean_is_that_of_the_normal_for_normal_data() -> None:
    values = np.random.default_rng(5).normal(10, 2, 400)
    found = aggregate("ms", [Scored(float(value)) for value in values])
    margin = 1.96 * values.std() / math.sqrt(400)
    assert found.low == pytest.approx(values.mean() - margin, abs=0.015)
    assert found.high == pytest.approx(values.mean() + margin, abs=0.015)
    assert found.method == "BCa bootstrap"


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


def test_a_p95_of_fewer_than_100_values_is_none_and_says_why() -> None:
    few = aggregate("ms", [Scored(1.0)] * 99 + [Unscored("timeout")], statistic="p95")
    assert (few.value, few.low, few.high, few.n, few.unscored) == (None, None, None, 0, 100)
    assert few.reasons == {"timeout": 1, "p95 wants 100 values, 99 are known": 99}
    assert aggregate("ms", [Scored(1.0)] * 100, statistic="p95").value == 1.0


def test_a_share_of_yes_and_no_has_an_interval_without_any_spread() -> None:
    """Ten of ten is no proof of perfection: Wilson's lower end is 10 / (10 + 1.96 ** 2)."""
    perfect = aggregate("recall", [Scored(1.0)] * 10, proportion=True)
    assert perfect.low == pytest.approx(10 / (10 + 1.96**2), abs=1e-4)
    assert (perfect.high, perfect.method) == (1.0, "Wilson")
    hopeless = aggregate("recall", [Scored(0.0)] * 10, proportion=True)
    assert hopeless.low == 0.0
    assert hopeless.high == pytest.approx(1.96**2 / (10 + 1.96**2), abs=1e-4)


def test_equal_values_that_are_no_shares_have_no_interval_and_say_so() -> None:
    free = aggregate("cost_usd", [Scored(0.0)] * 10)
    assert (free.value, free.low, free.high) == (0.0, None, None)
    assert free.method == "none: all values are equal"


def test_an_interval_stays_where_values_can_be() -> None:
    rows = [Scored(value) for value in (0.0, 0.0, 0.1, 0.9)]
    share_of_facts = aggregate("recall", [*rows, Scored(1.0)], proportion=True)
    assert share_of_facts.low == 0.0
    assert share_of_facts.high is not None
    assert share_of_facts.high <= 1.0
    assert aggregate("cost_usd", rows).low == 0.0


def test_questions_that_hang_together_say_less_than_as_many_apart() -> None:
    rows = {f"q{i}": Scored(float(i < 20)) for i in range(40)}
    notes = {f"q{i}": f"note {i // 4}" for i in range(40)}
    apart = aggregate("refused", rows, proportion=True)
    together = aggregate("refused", rows, clusters=notes, proportion=True)
    assert together.value == apart.value == 0.5
    assert apart.low is not None
    assert together.low is not None
    assert together.low < apart.low - 0.1


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


def test_questions_of_one_cluster_count_once_in_the_bound() -> None:
    rows = {f"q{i}": Scored(0.0) for i in range(10)}
    bound = count_events("leaks", rows, clusters={f"q{i}": f"n{i // 2}" for i in range(10)})
    assert bound.n == 10
    assert bound.high == pytest.approx(1 - 0.05**0.2)
