"""Scores and what is said of many of them: a missing score is a row with a reason, not a number.

Scored(value) | Unscored(reason)      one measure of one question
Aggregate                             one measure over questions, with n, unscored, interval
Count                                 how many of n questions an event happened to
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import numpy as np

from evals.stats.intervals import LEVEL, AxisStatistic, bootstrap_interval, exact_interval

NOT_A_NUMBER = "not a number"

Statistic = Literal["mean", "p50", "p95"]
_STATISTICS: dict[Statistic, AxisStatistic] = {
    "mean": np.mean,
    "p50": partial(np.quantile, q=0.5),
    "p95": partial(np.quantile, q=0.95),
}


@dataclass(frozen=True, slots=True)
class Scored:
    """A finite value, in the unit of its measure.

    Raises:
        ValueError: `value` is NaN or infinite.
    """

    value: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise ValueError(f"a score must be a finite number, got {self.value!r}")


@dataclass(frozen=True, slots=True)
class Unscored:
    """A value that is missing, and why."""

    reason: str


Score = Scored | Unscored


def scored(value: float) -> Score:
    """`value`, in any unit, as a score; NaN and infinities (libraries' failures) are Unscored."""
    return Scored(float(value)) if math.isfinite(value) else Unscored(NOT_A_NUMBER)


def share(part: int, whole: int, *, nothing: str) -> Score:
    """The share `part / whole`, or Unscored, for the reason `nothing`, when `whole` counts zero."""
    return Scored(part / whole) if whole else Unscored(nothing)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One measure over questions; `value`, `low` and `high` in its unit.

    `value` is None when nothing was scored, and `low` and `high` when fewer than two questions
    were: one value has no spread. `reasons` counts why questions are unscored.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    unscored: int
    reasons: Mapping[str, int] = field(default_factory=dict)
    statistic: Statistic = "mean"

    def __str__(self) -> str:
        if self.value is None:
            return f"{self.name}: not scored ({'; '.join(self.reasons) or 'nothing was asked'})"
        interval = "" if self.low is None else f" [{self.low:.3f}, {self.high:.3f}]"
        missing = f", {self.unscored} unscored" if self.unscored else ""
        return f"{self.name}: {self.value:.3f}{interval} (n={self.n}{missing})"


@dataclass(frozen=True, slots=True)
class Count:
    """How often something happened that never should.

    `events` over `n` questions that could be checked, of which `affected` had at least one; the
    number of the others is `unscored`. `high` is the upper end of the exact one-sided 95 % interval
    of the affected share (Clopper and Pearson, 1934), so that 0 of 10 does not read like 0 of
    10,000; None when n is 0.
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
    scores: Iterable[Score],
    *,
    seed: int = 0,
    statistic: Statistic = "mean",
    proportion: bool = False,
) -> Aggregate:
    """The `statistic` of the scored values and its 95 % percentile bootstrap interval.

    Of such intervals the share `level` holds the true value.

    Values between 0 and 1 are a `proportion`: where all are 0, or all are 1, resampling finds no
    spread however few there are, so the exact interval (Clopper and Pearson, 1934) stands instead.
    """
    rows = list(scores)
    values = np.array([row.value for row in rows if isinstance(row, Scored)], dtype=np.float64)
    reasons = Counter(row.reason for row in rows if isinstance(row, Unscored))
    compute = _STATISTICS[statistic]
    value = float(compute(values, axis=-1)) if values.size else None
    low: float | None = None
    high: float | None = None
    if proportion and values.size > 1 and np.ptp(values) == 0 and values[0] in (0, 1):
        low, high = exact_interval(int(values.sum()), values.size)
    elif values.size > 1:
        low, high = bootstrap_interval(compute, values, seed=seed)
    missing = len(rows) - values.size
    return Aggregate(name, value, low, high, values.size, missing, dict(reasons), statistic)


def count_events(name: str, scores: Iterable[Score]) -> Count:
    """Sum of the scored values as events, with the exact upper bound on the share affected."""
    rows = list(scores)
    events = [row.value for row in rows if isinstance(row, Scored)]
    reasons = Counter(row.reason for row in rows if isinstance(row, Unscored))
    n, affected = len(events), sum(1 for value in events if value > 0)
    # The upper end of a two-sided 90 % interval is that of a one-sided 95 % one.
    high = exact_interval(affected, n, level=2 * LEVEL - 1)[1] if n else None
    return Count(
        name=name,
        events=int(sum(events)),
        affected=affected,
        n=n,
        high=high,
        unscored=len(rows) - n,
        reasons=dict(reasons),
    )


def paired_difference(
    name: str,
    baseline: Mapping[str, Score],
    candidate: Mapping[str, Score],
    *,
    seed: int = 0,
) -> Aggregate:
    """Mean of `candidate - baseline` over the questions that both runs scored.

    Pairing removes the spread between questions, so small changes show. Every question of either
    run gets a row: one missing from a run, or unscored in it, is Unscored saying which. The share
    `level` of such intervals holds the true value.
    """
    differences = [
        _difference(baseline.get(question), candidate.get(question))
        for question in sorted(baseline.keys() | candidate.keys())
    ]
    return aggregate(name, differences, seed=seed)


def _difference(baseline: Score | None, candidate: Score | None) -> Score:
    match baseline, candidate:
        case Scored(before), Scored(after):
            return scored(after - before)
        case Scored(), _:
            return Unscored(f"candidate: {_why(candidate)}")
        case _, Scored():
            return Unscored(f"baseline: {_why(baseline)}")
        case _:
            return Unscored(f"both: {_why(baseline)}")


def _why(score: Score | None) -> str:
    return score.reason if isinstance(score, Unscored) else "not asked"
