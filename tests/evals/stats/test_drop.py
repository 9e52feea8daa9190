"""One-sided tests of a drop: right by hand, and honest about what they cannot show."""

from __future__ import annotations

import math

import numpy as np
import pytest

from evals.stats.clustered import Clustered
from evals.stats.drop import drop_p, holm, lower_bound, median_bounds, smallest_detectable


def rows(*values: float, groups: dict[str, str] | None = None) -> Clustered:
    return Clustered.of({f"q{n}": value for n, value in enumerate(values)}, groups)


def test_of_single_questions_it_is_mcnemars_exact_test() -> None:
    """Eight worse and two better of many: P(X <= 2) of ten fair coins is 56 / 1024."""
    assert drop_p(rows(*[-1.0] * 8, 1.0, 1.0, *[0.0] * 50)) == pytest.approx(56 / 1024)
    assert drop_p(rows(*[0.0] * 50)) == 1.0


def test_of_scores_all_signs_are_tried() -> None:
    """-3, -2, +1: sums of -4 and below are -6 and -4, two of eight."""
    assert drop_p(rows(-3.0, -2.0, 1.0)) == pytest.approx(2 / 8)


def test_questions_of_one_group_count_once() -> None:
    alone = rows(*[-1.0] * 6)
    together = rows(*[-1.0] * 6, groups={f"q{n}": "a" if n < 3 else "b" for n in range(6)})
    assert drop_p(alone) == pytest.approx(1 / 64)
    assert drop_p(together) == pytest.approx(1 / 4)


def test_many_are_drawn_and_come_near_the_normal_law() -> None:
    values = np.random.default_rng(3).normal(-0.1, 1.0, 400)
    z = values.sum() / np.sqrt((values**2).sum())
    expected = 0.5 * math.erfc(-z / math.sqrt(2))
    assert drop_p(rows(*values)) == pytest.approx(expected, abs=0.01)


def test_where_nothing_changed_three_in_so_many_may() -> None:
    assert lower_bound(rows(*[0.0] * 100)) == pytest.approx(-0.03)
    assert smallest_detectable(rows(*[0.0] * 100), alpha=0.05, power=0.8) == pytest.approx(0.03)


def test_the_bound_and_the_smallest_drop_are_so_many_standard_errors() -> None:
    values = [-1.0, 1.0] * 200
    error = 1 / math.sqrt(399)
    assert lower_bound(rows(*values)) == pytest.approx(-1.6487 * error, rel=1e-3)
    found = smallest_detectable(rows(*values), alpha=0.05, power=0.8)
    assert found == pytest.approx((1.6449 + 0.8416) * error, rel=1e-3)


def test_holm_adjusts_each_by_how_many_are_left() -> None:
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([]) == []


def test_the_medians_bounds_are_values_by_the_binomial_law() -> None:
    """Of ten: P(X <= 1) is 0.011 and P(X <= 2) 0.055, so one value is left out at each end."""
    assert median_bounds(np.arange(10.0)) == (1.0, 8.0)
    assert median_bounds(np.arange(5.0)) == (-math.inf, math.inf)
