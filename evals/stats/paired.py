"""Two runs over the same questions: how far apart they are, and whether by more than luck."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from evals.stats.clustered import Clustered, mean_interval
from evals.stats.score import Score, Scored, Unscored

Verdict = Literal["better", "worse", "no difference seen", "too few"]

FEWEST = 6
"""Of clusters: with one fewer, even if all change for the better, the test's p is 2 / 2**5."""
ALPHA = 0.05
"""By convention: one difference in twenty that is mere luck is believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedDifference:
    """`mean` of candidate - baseline and its interval from `low` to `high`, in the measure's unit.

    `n` counts the questions that both runs scored, `clusters` their clusters, `better` and `worse`
    those where the candidate is so, `unscored` the others, and `reasons` why. `p` is the share of
    differences as large by luck alone, of the randomisation test. `mean` and `p` are None when n
    is 0; `low` and `high` are None where there is no spread, and `method` then says so.
    """

    name: str
    mean: float | None
    low: float | None
    high: float | None
    n: int
    clusters: int
    better: int
    worse: int
    p: float | None
    unscored: int
    direction: Literal["higher", "lower"] = "higher"
    method: str = ""
    reasons: Mapping[str, int] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """`better` or `worse` where p is at most `ALPHA` and the interval has no 0 in it.

        `too few` where fewer than `FEWEST` clusters were scored by both.
        """
        if self.mean is None or self.p is None or self.clusters < FEWEST:
            return "too few"
        low = self.mean if self.low is None else self.low
        high = self.mean if self.high is None else self.high
        if self.p > ALPHA or low <= 0 <= high:
            return "no difference seen"
        return "better" if (self.mean > 0) == (self.direction == "higher") else "worse"


def paired_difference(
    name: str,
    baseline: Mapping[str, Score],
    candidate: Mapping[str, Score],
    *,
    clusters: Mapping[str, str] | None = None,
    seed: int = 0,
    direction: Literal["higher", "lower"] = "higher",
) -> PairedDifference:
    """Mean of `candidate - baseline` over the questions that both runs scored.

    Pairing removes the spread between questions, so small changes show. Every question of either
    run gets a row: one missing from a run, or unscored in it, is counted with the reason. Questions
    of one of `clusters` hang together: they are resampled, and tested, as one. `direction` says
    which way is better.
    """
    asked = sorted(baseline.keys() | candidate.keys())
    pairs = {each: _difference(baseline.get(each), candidate.get(each)) for each in asked}
    changes = {each: row.value for each, row in pairs.items() if isinstance(row, Scored)}
    reasons = Counter(row.reason for row in pairs.values() if isinstance(row, Unscored))
    rows = Clustered.of(changes, clusters) if changes else None
    interval = mean_interval(rows, seed=seed) if rows else None
    up, down = _signs(changes)
    return PairedDifference(
        name=name,
        mean=rows.mean if rows else None,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        n=len(changes),
        clusters=rows.clusters if rows else 0,
        better=up if direction == "higher" else down,
        worse=down if direction == "higher" else up,
        p=_randomisation_p(rows, seed) if rows else None,
        unscored=len(pairs) - len(changes),
        direction=direction,
        method=interval.method if interval else "none: no question was scored by both",
        reasons=dict(reasons),
    )


def _randomisation_p(rows: Clustered, seed: int) -> float:
    """Two-sided p of Fisher's randomisation test on the clusters' sums.

    Were the runs alike, each cluster's difference would be as likely to have the other sign. The
    test that Smucker, Allan and Carterette (2007) recommend for comparing runs; exact for up to 13
    clusters that changed, 9,999 draws for more.
    """
    from scipy.stats import permutation_test

    sums = rows.totals[0]
    changed = sums[sums != 0]
    if len(changed) < 2:  # of one, both signs are as extreme
        return 1.0
    found = permutation_test(
        (changed,),
        np.sum,
        permutation_type="samples",
        vectorized=True,
        n_resamples=9999,
        batch=1000,
        rng=np.random.default_rng(seed),
    )
    return float(found.pvalue)


def _signs(changes: Mapping[str, float]) -> tuple[int, int]:
    values = changes.values()
    return sum(value > 0 for value in values), sum(value < 0 for value in values)


def _difference(baseline: Score | None, candidate: Score | None) -> Score:
    match baseline, candidate:
        case Scored(before), Scored(after):
            return Scored(after - before)
        case Scored(), _:
            return Unscored(f"candidate: {_why(candidate)}")
        case _, Scored():
            return Unscored(f"baseline: {_why(baseline)}")
        case _:
            return Unscored(f"both: {_why(baseline)}")


def _why(score: Score | None) -> str:
    return score.reason if isinstance(score, Unscored) else "not asked"
