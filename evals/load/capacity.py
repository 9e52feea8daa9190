"""The capacity that a load test supports: CPU of a hit and of a miss, and what follows from them.

A stage of nothing but hits and one of nothing but misses say what each costs every part, above what
it uses when nobody asks. Whether the two add up is checked where they are mixed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from loadtests.record.record import Record
from loadtests.record.resources import cpu_between
from loadtests.traffic.stage import Stage

SERVERS = ("app", "postgres", "redis")
"""The parts of a deployment; the generator and the stub provider are none."""
HITS, MISSES, MIXED = "hits", "misses", "mixed"
"""The stages that the model rests on, and the one that it is checked on."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one request costs a part: CPU seconds of a hit and of a miss, and per idle second."""

    hit_s: float
    miss_s: float
    idle_s: float

    def at(self, hit_share: float) -> float:
        """CPU seconds of a request, of which this share hits."""
        return hit_share * self.hit_s + (1 - hit_share) * self.miss_s

    def predicted_s(self, hits: float, misses: float, seconds: float) -> float:
        """CPU seconds of so many hits and misses within so many seconds."""
        return hits * self.hit_s + misses * self.miss_s + seconds * self.idle_s


@dataclass(frozen=True, slots=True)
class Capacity:
    """The model: what requests cost each part, and how well that predicts a mix.

    `miss_usd` is what a miss costs in US dollars, `miss_latency_s` the median of how long it takes;
    `hit_share` is that of the mix, and `prediction_ratio` the predicted CPU of the servers there by
    what was measured.
    """

    costs: Mapping[str, Cost]
    miss_usd: float
    miss_latency_s: float
    hit_share: float
    prediction_ratio: float

    def core_rate(self, hit_share: float) -> float:
        """Requests/s of one core of an application's process, of which this share hits."""
        return 1 / self.costs["app"].at(hit_share)

    def machine_rate(self, hit_share: float, cores: int) -> float:
        """Requests/s of a machine whose cores all servers share, all of them busy."""
        return cores / sum(cost.at(hit_share) for cost in self.costs.values())

    def request_usd(self, hit_share: float) -> float:
        """US dollars that a request costs on average."""
        return (1 - hit_share) * self.miss_usd


def capacity(record: Record) -> Capacity | None:
    """The model of a run; None where it lacks a stage, or a part was not watched in one."""
    stages = {each.name: each for each in record.shape.stages}
    if not {HITS, MISSES, MIXED} <= stages.keys():
        return None
    costs = {part: _cost(record, part) for part in SERVERS}
    if any(cost is None for cost in costs.values()):
        return None
    return _model(record, {part: cost for part, cost in costs.items() if cost})


def _model(record: Record, costs: Mapping[str, Cost]) -> Capacity:
    hits, misses, seconds = counted(record, MIXED)
    measured = sum(_spent_s(record, part, MIXED) or 0.0 for part in costs)
    predicted = sum(cost.predicted_s(hits, misses, seconds) for cost in costs.values())
    fresh = [each for each in record.samples if each.stage == MISSES and each.outcome == "FRESH"]
    return Capacity(
        costs,
        miss_usd=float(np.mean([each.cost_usd for each in fresh])),
        miss_latency_s=float(np.median([each.latency_ms for each in fresh])) / 1000,
        hit_share=hits / (hits + misses),
        prediction_ratio=predicted / measured,
    )


def _cost(record: Record, part: str) -> Cost | None:
    """Two stages, two equations; what nobody asks for is taken off both."""
    idle_s = _idle_s(record, part)
    spent = [_spent_s(record, part, stage) for stage in (HITS, MISSES)]
    if idle_s is None or None in spent:
        return None
    rows, worked = [], []
    for stage, spent_s in zip((HITS, MISSES), spent, strict=True):
        hits, misses, seconds = counted(record, stage)
        rows.append((hits, misses))
        worked.append((spent_s or 0.0) - idle_s * seconds)
    if not np.linalg.det(np.array(rows)):
        return None
    hit_s, miss_s = np.linalg.solve(np.array(rows), np.array(worked))
    return Cost(float(hit_s), float(miss_s), idle_s)


def counted(record: Record, stage: str) -> tuple[int, int, float]:
    """How many questions of a stage hit and how many did not, and its seconds."""
    asked = [each for each in record.samples if each.stage == stage and each.asked]
    hits = sum(each.hit for each in asked)
    return hits, len(asked) - hits, _stage(record, stage).seconds


def _spent_s(record: Record, part: str, stage: str) -> float | None:
    begin_s = dict(zip((s.name for s in record.shape.stages), record.shape.begins_s, strict=True))
    first_s = begin_s[stage]
    return cpu_between(record.usages, part, first_s, first_s + _stage(record, stage).seconds)


def _stage(record: Record, name: str) -> Stage:
    return next(stage for stage in record.shape.stages if stage.name == name)


def _idle_s(record: Record, part: str) -> float | None:
    """CPU seconds per second before the load began."""
    before = [each.at_s for each in record.usages if each.part == part and each.at_s < 0]
    if len(before) < 2:
        return None
    spent_s = cpu_between(record.usages, part, min(before), max(before))
    return None if spent_s is None else spent_s / (max(before) - min(before))
