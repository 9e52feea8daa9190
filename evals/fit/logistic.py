"""Logistic regression whose weights keep their sign, and scores of rows it was not fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Logistic:
    """P(right) = 1 / (1 + exp(-(rows @ weights + intercept))); weights float64[features]."""

    weights: Floats
    intercept: float

    def scores(self, rows: Floats) -> Floats:
        """float64[n] of float64[n, features]."""
        return np.asarray(1 / (1 + np.exp(-(rows @ self.weights + self.intercept))))


def fit_logistic(
    rows: Floats,
    right: Booleans,
    signs: Sequence[int],
    *,
    l2: float,
    counts: Floats | None = None,
) -> Logistic:
    """Maximum likelihood with an L2 penalty on weights of features scaled to unit deviation.

    A weight of sign 1 is at least 0, of sign -1 at most 0, so that no feature can speak for what
    it is evidence against. Solved by L-BFGS-B (Byrd et al., 1995), the same on every run.

    Args:
        rows: float64[n, features].
        signs: 1 or -1 for each feature.
        l2: the penalty's strength, a number without unit.
        counts: float64[n]: as how many rows each counts; None: as one.
    """
    from scipy.optimize import minimize

    deviations = np.where(rows.std(axis=0) > 0, rows.std(axis=0), 1.0)
    scaled = np.column_stack([rows / deviations, np.ones(len(rows))])
    labels = np.where(right, 1.0, -1.0)
    counts = np.ones(len(rows)) if counts is None else counts
    penalty = np.append(np.full(rows.shape[1], l2), 0.0)

    def loss(weights: Floats) -> tuple[float, Floats]:
        margins = labels * (scaled @ weights)
        slopes = -labels * counts / (1 + np.exp(margins))
        value = (counts * np.logaddexp(0, -margins)).sum() + (penalty * weights**2).sum() / 2
        return float(value), np.asarray(scaled.T @ slopes + penalty * weights)

    bounds = [(0, None) if sign > 0 else (None, 0) for sign in signs] + [(None, None)]
    start = np.zeros(scaled.shape[1])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return Logistic(found[:-1] / deviations, float(found[-1]))


def out_of_fold(
    rows: Floats,
    right: Booleans,
    signs: Sequence[int],
    folds: NDArray[np.int64],
    *,
    l2: float,
    counts: Floats | None = None,
) -> Floats:
    """float64[n]: each row's score by a model that was fitted without the row's fold.

    Args:
        l2: the penalty's strength, a number as `fit_logistic` takes it.
        counts: float64[n] or None, as `fit_logistic` takes them.
    """
    counts = np.ones(len(rows)) if counts is None else counts
    scores = np.empty(len(rows))
    for fold in np.unique(folds):
        held_out = folds == fold
        model = fit_logistic(
            rows[~held_out], right[~held_out], signs, l2=l2, counts=counts[~held_out]
        )
        scores[held_out] = model.scores(rows[held_out])
    return scores


def folds_by_group(groups: Sequence[str], count: int, seed: int = 0) -> NDArray[np.int64]:
    """int64[n]: a fold for each row, the rows of a group in one; shuffled by `seed`."""
    names = sorted(set(groups))
    order = np.random.default_rng(seed).permutation(len(names))
    fold_of = {names[place]: rank % count for rank, place in enumerate(order)}
    return np.array([fold_of[group] for group in groups], np.int64)


def area_under_curve(scores: Floats, right: Booleans) -> float:
    """Share of (right, wrong) pairs whose right one scores higher; ties count half.

    `scores` are float64[n] and `right` bool[n]. The U statistic of Mann and Whitney (1947) over
    the number of pairs.
    """
    from scipy.stats import rankdata

    ranks, n = rankdata(scores), int(right.sum())
    return float((ranks[right].sum() - n * (n + 1) / 2) / (n * (len(right) - n)))
