"""What work, memory and old answers cost, and what a cache setting comes to at these prices."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields

from evals.simulation.answer_ages import AnswerAges
from evals.simulation.simulator import CacheReport
from evals.simulation.traffic import DAY_S
from rag_core.errors import InvalidInput

DAYS_PER_MONTH = 30
"""A month as bills have it."""
BYTES_PER_GB = 1e9
"""Decimal, as clouds bill."""
MONTH_S = DAYS_PER_MONTH * DAY_S


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputePrices:
    """What work and memory cost; guesses to be replaced by the operator's bill.

    Raises:
        InvalidInput: a price or a time is negative.
    """

    memory_usd_per_gb_month: float = 15.0
    cpu_usd_per_hour: float = 0.04
    embed_cpu_s: float = 0.0037
    """CPU of embedding one question with onnxruntime."""
    retrieve_cpu_s: float = 0.0008
    """CPU of one HNSW search over 10,000 chunks."""
    epoch_read_cpu_s: float = 0.000064
    """CPU of one prepared SELECT of an epoch, which every lookup of an answer makes."""

    def __post_init__(self) -> None:
        for name in self.__slots__:
            _require(name, getattr(self, name))

    def cpu_usd(self, seconds: float) -> float:
        """Dollars for so much CPU."""
        return seconds * self.cpu_usd_per_hour / 3_600.0

    def memory_usd(self, size_bytes: float, seconds: float) -> float:
        """Dollars for holding so many bytes so long."""
        return size_bytes / BYTES_PER_GB * self.memory_usd_per_gb_month * seconds / MONTH_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """The prices by which TTLs are weighed; each is the operator's to state.

    Raises:
        InvalidInput: a value is out of range; names the field and the value.
    """

    llm_answer_usd: float = 0.0004
    """What generating an answer costs: 1,400 tokens in and 200 out at the default prices. The 200
    are supposed."""
    old_after_s: float = 7 * DAY_S
    """An answer of this age is old, though its evidence still stands."""
    old_answer_usd: float = 0.001
    """What serving an old answer costs in trust; supposed. 0: age does not matter."""
    outage_share: float = 0.001
    """Share of the time in which no provider can generate; supposed. Answers past their soft TTL
    are served then."""
    max_redis_bytes: float = 1e9
    """No setting that takes more is recommended."""
    worth: float = 0.01
    """Share of the cost of the default that a change must save to be recommended."""
    compute: ComputePrices = field(default_factory=ComputePrices)

    def __post_init__(self) -> None:
        for each in fields(self):
            if each.name != "compute":
                _require(each.name, getattr(self, each.name))
        for name in ("outage_share", "worth"):
            if getattr(self, name) > 1:
                raise InvalidInput(name, f"must be in [0, 1], got {getattr(self, name)!r}")

    def usd_per_1000(self, report: CacheReport, ages: AnswerAges, span_s: float) -> CostOfSetting:
        """What 1,000 requests cost under one setting, from what it did over `span_s` seconds."""
        held = report.answer_bytes_mean + report.embedding_bytes_mean + report.context_bytes_mean
        work_s = (
            report.embedding_calls * self.compute.embed_cpu_s
            + report.retrievals * self.compute.retrieve_cpu_s
        )
        old = ages.old_share + self.outage_share * ages.outage_old_share
        times = 1_000 / report.requests
        return CostOfSetting(
            llm_usd=times * report.llm_calls * self.llm_answer_usd,
            work_usd=times * self.compute.cpu_usd(work_s),
            memory_usd=times * self.compute.memory_usd(held, span_s),
            old_usd=1_000 * old * self.old_answer_usd,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CostOfSetting:
    """Dollars per 1,000 requests, by what they are for."""

    llm_usd: float
    work_usd: float
    """Processor time of embedding and searching."""
    memory_usd: float
    """Bytes x time of all three caches."""
    old_usd: float
    """Old answers served."""

    @property
    def total_usd(self) -> float:
        """All of it."""
        return self.llm_usd + self.work_usd + self.memory_usd + self.old_usd


def _require(name: str, value: float) -> None:
    if not (math.isfinite(value) and value >= 0):
        raise InvalidInput(name, f"must be >= 0, got {value!r}")
