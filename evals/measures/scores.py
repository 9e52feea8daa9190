"""What is said of many scores: a missing score is a row with a reason, not a number.

Scored(value) | Unscored(reason)      one measure of one question; see `evals.stats.score`
Aggregate                             one measure over questions, with n, unscored, interval
Count                                 how many of n questions an event happened to
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from evals.stats.clustered import (
    Clustered,
    Interval,
    mean_interval,
    quantile_interval,
    share_interval,
)
from evals.stats.intervals import LEVEL, exact_interval
from evals.stats.score import Score, Scored, Unscored, scored, share

__all__ = [
    "Aggregate", "Count", "Score", "Scored", "Scores", "Statistic", "Unscored", "aggregate",
    "count_events", "scored", "share",
]  # fmt: skip

Statistic = Literal["mean", "p50", "p95"]
Scores = Iterable[Score] | Mapping[str, Score]
"""Scores alone, or by question; only the latter can be in clusters."""

_QUANTILES: Mapping[Statistic, float] = {"p50": 0.5, "p95": 0.95}
_LEAST: Mapping[Statistic, int] = {"p95": 100}
"""Values that a statistic wants: beyond the p95 of fewer lie not even five."""


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One measure over questions; `value`, `low` and `high` in its unit.

    `value` is None when nothing, or too little for the statistic, was scored. `method` is how the
    interval was made; where `low` and `high` are None, it says why. `reasons` counts why questions
    are unscored.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    unscored: int
    reasons: Mapping[str, int] = field(default_factory=dict)
    statistic: Statistic = "mean"
    method: str = ""

    def __str__(self) -> str:
        if self.value is None:
            return f"{self.name}: not scored ({'; '.join(self.reasons) or 'nothing was asked'})"
        interval = "" if self.low is None else f" [{self.low:.3f}, {self.high:.3f}]"
        missing = f", {self.unscored} unscored" if self.unscored else ""
        return f"{self.name}: {self.value:.3f}{interval} (n={self.n}{missing})"


@dataclass(frozen=True, slots=True)
class Count:
    """How often something happened that never should.

    `events` over `n` questions to which it could have happened, of which `affected` had at least
    one; the number of the others is `unscored`. `high` is the upper end of the exact one-sided 95 %
    interval of the affected share (Clopper and Pearson, 1934), so that 0 of 10 does not read like 0
    of 10,000; None when n is 0. Questions of one cluster count once in it.
    """

    name: str
    events: int
    affected: int
    n: int
    high: float | None
    unscored: int
    reasons: Mapping[str, int] = field(default_factory=dict)


def aggregate(
    name: str,
    scores: Scores,
    *,
    clusters: Mapping[str, str] | None = None,
    seed: int = 0,
    statistic: Statistic = "mean",
    proportion: bool = False,
) -> Aggregate:
    """The `statistic` of the scored values and its 95 % interval, whatever the order of the rows.

    `clusters` names the cluster of a question, where it shares one. Values between 0 and 1 are a
    `proportion`: where all are 0 or 1 it has `share_interval`; other means have `mean_interval`,
    and quantiles `quantile_interval`. A p95 of fewer than 100 values is none.
    """
    values, reasons = _split(scores)
    least = _LEAST.get(statistic, 1)
    if values and len(values) < least:
        reasons[f"{statistic} wants {least} values, {len(values)} are known"] = len(values)
        values = {}
    missing = sum(reasons.values())
    if not values:
        why = f"none: {'too few values' if missing else 'nothing was measured'}"
        return Aggregate(name, None, None, None, 0, missing, dict(reasons), statistic, why)
    rows = Clustered.of(values, clusters)
    value = rows.mean if statistic == "mean" else rows.quantile(_QUANTILES[statistic])
    found = _interval(rows, statistic, proportion=proportion, seed=seed)
    return Aggregate(
        name, value, found.low, found.high, rows.n, missing, dict(reasons), statistic, found.method
    )


def _interval(rows: Clustered, statistic: Statistic, *, proportion: bool, seed: int) -> Interval:
    if statistic != "mean":
        return quantile_interval(rows, _QUANTILES[statistic], seed=seed)
    if proportion and np.isin(rows.values, (0, 1)).all():
        return share_interval(rows)
    # What is never negative, or a share, is not so at the ends of its interval either.
    floor = 0.0 if rows.values[0] >= 0 else -np.inf
    return mean_interval(rows, limits=(floor, 1.0 if proportion else np.inf), seed=seed)


def _split(scores: Scores) -> tuple[dict[str, float], Counter[str]]:
    """Values by question, and how often each reason for a missing one was given."""
    if not isinstance(scores, Mapping):
        scores = {str(place): score for place, score in enumerate(scores)}
    values: dict[str, float] = {}
    reasons: Counter[str] = Counter()
    for question, score in scores.items():
        match score:
            case Scored(value):
                values[question] = value
            case Unscored(reason):
                reasons[reason] += 1
    return values, reasons


def count_events(name: str, scores: Scores, *, clusters: Mapping[str, str] | None = None) -> Count:
    """Sum of the scored values as events, with the exact upper bound on the share affected.

    The bound is over questions that could have been affected: those that could not are Unscored.
    """
    values, reasons = _split(scores)
    return Count(
        name=name,
        events=int(sum(values.values())),
        affected=sum(value > 0 for value in values.values()),
        n=len(values),
        high=_bound(Clustered.of(values, clusters)) if values else None,
        unscored=sum(reasons.values()),
        reasons=dict(reasons),
    )


def _bound(rows: Clustered) -> float:
    """Over clusters: one is affected if any of its questions is."""
    affected = int(np.count_nonzero(rows.totals[0]))
    # The upper end of a two-sided 90 % interval is that of a one-sided 95 % one.
    return exact_interval(affected, rows.clusters, level=2 * LEVEL - 1)[1]
