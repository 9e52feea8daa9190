from __future__ import annotations

import math

import numpy as np
import pytest

from evals.stats.intervals import Estimate, exact_interval, ratio_of_sums, resampled_means


def test_the_exact_interval_matches_published_values() -> None:
    """4 of 20: 5.73 % to 43.66 % (Clopper and Pearson, as in Newcombe 1998's method 5)."""
    assert exact_interval(4, 20) == pytest.approx((0.0573, 0.4366), abs=1e-4)


def test_a_ratio_over_clusters_knows_that_their_events_hang_together() -> None:
    """Half of 40 users always hit: 40 independent facts, not 4,000 requests."""
    parts, wholes = np.tile([0.0, 100.0], 20), np.full(40, 100.0)
    found = ratio_of_sums(parts, wholes)
    margin = 1.96 * 0.5 / math.sqrt(40)
    assert found.value == 0.5
    assert found.low == pytest.approx(0.5 - margin, abs=0.03)
    assert found.high == pytest.approx(0.5 + margin, abs=0.03)


def test_one_cluster_has_no_spread() -> None:
    assert ratio_of_sums(np.array([3.0]), np.array([4.0])) == Estimate.exact(0.75)


def test_columns_are_resampled_by_the_same_rows() -> None:
    column = np.random.default_rng(3).random(50)
    once, twice = resampled_means(np.random.default_rng(7), 200, column, 2 * column)
    assert twice == pytest.approx(2 * once)
    assert once.std() == pytest.approx(column.std() / math.sqrt(50), rel=0.2)
