"""The area under the ROC curve and balanced accuracy, and their intervals over clusters."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from evals.stats.separation import auc, balanced_accuracy

APART = [str(number) for number in range(60)]


def scores_and_sides() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    right = rng.integers(0, 2, 60)
    return np.round(rng.normal(right, 1.2), 1), right  # rounded: with ties


def test_the_area_is_the_rank_statistic_of_mann_and_whitney() -> None:
    scores, right = scores_and_sides()
    u = mannwhitneyu(scores[right == 1], scores[right == 0]).statistic
    assert auc(scores, right, APART).value == pytest.approx(u / (right.sum() * (60 - right.sum())))


def test_what_hangs_together_widens_the_interval() -> None:
    scores, right = (np.repeat(each, 5) for each in scores_and_sides())
    alone = auc(scores, right, [str(n) for n in range(300)])
    together = auc(scores, right, [str(n // 5) for n in range(300)])
    assert alone.value == together.value
    assert together.high - together.low > 1.5 * (alone.high - alone.low)


def test_balanced_accuracy_is_the_mean_of_both_shares() -> None:
    accepted, right = [1, 1, 0, 1, 0, 0], [1, 1, 1, 1, 0, 0]
    estimate = balanced_accuracy(accepted, right, APART[:6])
    assert estimate.value == pytest.approx((3 / 4 + 2 / 2) / 2)
    assert estimate.low <= estimate.value <= estimate.high
