"""A load test second by second: what was sent, what came of it, how long it took, what it cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from evals.results.outcomes import ERROR, OUTCOMES
from loadtests.record.record import Record
from loadtests.record.sample import Sample

STEP_S = 2.0
"""Seconds that a point of the pictures stands for."""
LEAST = 20
"""Questions of a step below which it has no p95."""


def timeline(record: Record, step_s: float = STEP_S) -> pd.DataFrame:
    """A row a step of `step_s` seconds, by when questions were to be sent.

    Columns: at_s (the step's middle), sent (questions), latency p50_s and p95_s of answered ones,
    hit_p50_s, cost_usd, and one for each outcome of `OUTCOMES`, with counts.
    """
    asked = [each for each in record.samples if each.asked]
    steps = range(int(np.ceil(record.shape.seconds / step_s)))
    by_step: list[list[Sample]] = [[] for _ in steps]
    for sample in asked:
        by_step[min(int(sample.at_s // step_s), len(by_step) - 1)].append(sample)
    rows = [_row(samples, (n + 0.5) * step_s) for n, samples in enumerate(by_step)]
    return pd.DataFrame(rows)


def _row(samples: Sequence[Sample], at_s: float) -> dict[str, float]:
    answered = [each.latency_ms / 1000 for each in samples if each.answered]
    hits = [each.latency_ms / 1000 for each in samples if each.answered and each.hit]
    counts = dict.fromkeys(OUTCOMES, 0) | _counts(samples)
    return {
        "at_s": at_s,
        "sent": len(samples),
        "p50_s": _percentile(answered, 50, 1),
        "p95_s": _percentile(answered, 95, LEAST),
        "hit_p50_s": _percentile(hits, 50, 1),
        "cost_usd": sum(each.cost_usd for each in samples),
        **counts,
    }


def _counts(samples: Sequence[Sample]) -> dict[str, int]:
    outcomes = [each.outcome if each.answered else ERROR for each in samples]
    return {name: outcomes.count(name) for name in set(outcomes)}


def _percentile(values: Sequence[float], percent: float, least: int) -> float:
    return float(np.percentile(values, percent)) if len(values) >= least else float("nan")
