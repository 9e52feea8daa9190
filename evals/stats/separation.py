"""How well scores separate right from wrong: the area under the ROC curve, by clusters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evals.stats.intervals import RESAMPLES, Estimate, Floats


def auc(scores: ArrayLike, right: ArrayLike, clusters: Sequence[str], *, seed: int = 0) -> Estimate:
    """Probability that a right row scores above a wrong one, ties half (Mann and Whitney, 1947).

    `scores` and `right` are arrays [n], at least one row right and one wrong. The 95 % interval is
    that of a percentile bootstrap over `clusters`, whose rows hang together.
    """
    _, levels = np.unique(np.asarray(scores, dtype=np.float64), return_inverse=True)
    of_right = np.asarray(right, dtype=np.float64)
    value = _weighted_auc(levels, of_right, np.ones(len(of_right)))
    weights = cluster_weights(clusters, seed=seed)
    draws = np.array([_weighted_auc(levels, of_right, each) for each in weights])
    return Estimate.of_draws(value, draws[np.isfinite(draws)])


def balanced_accuracy(
    accepted: ArrayLike, right: ArrayLike, clusters: Sequence[str], *, seed: int = 0
) -> Estimate:
    """Mean of the shares of right rows accepted and of wrong rows not; arrays [n] of 0 and 1.

    The 95 % interval is that of a percentile bootstrap over `clusters`.
    """
    of_right = np.asarray(right, dtype=np.float64)
    correct = np.asarray(accepted, dtype=np.float64) == of_right
    weights = np.vstack([np.ones(len(of_right)), cluster_weights(clusters, seed=seed)])
    with np.errstate(invalid="ignore"):
        shares = [
            (weights @ (correct * side)) / (weights @ side) for side in (of_right, 1 - of_right)
        ]
    value, *draws = (shares[0] + shares[1]) / 2
    known = np.array(draws)
    return Estimate.of_draws(float(value), known[np.isfinite(known)])


def cluster_weights(clusters: Sequence[str], *, seed: int = 0) -> Floats:
    """How often a bootstrap over `clusters` draws each row; float64[RESAMPLES, n]."""
    _, members = np.unique(np.array(clusters), return_inverse=True)
    count = int(members.max()) + 1
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=RESAMPLES)
    return np.asarray(drawn[:, members], dtype=np.float64)


def _weighted_auc(levels: NDArray[np.intp], right: Floats, weights: Floats) -> float:
    """NaN where a draw holds no right row, or no wrong one."""
    of_right = np.bincount(levels, weights * right)
    of_wrong = np.bincount(levels, weights * (1 - right))
    pairs = of_right.sum() * of_wrong.sum()
    below = np.cumsum(of_wrong) - of_wrong / 2
    return float(of_right @ below / pairs) if pairs else float("nan")
