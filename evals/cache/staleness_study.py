"""What permitted staleness is worth on one trace: simulated, priced, and held against theory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from evals.cache.staleness import (
    copies,
    flat_outdated_share,
    flat_reads_per_request,
    outdated,
    spread_over,
    staleness_sweep,
)
from evals.simulation.plausible import band
from evals.simulation.simulator import Setting
from evals.simulation.timeline import Timeline
from evals.simulation.traffic import DAY_S, Traffic
from evals.stats.intervals import Estimate
from rag_core.errors import InvalidInput

MAX_STALENESS_S = (0.0, 0.1, 1.0, 5.0, 10.0, 60.0, 300.0, 3_600.0)
WORKERS = (1, 4, 16)
_LONGEST_S = MAX_STALENESS_S[-1]
"""The longest that the pipeline permits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StalenessAssumptions:
    """The setting to weigh, on how many processes, and the price of a read.

    Raises:
        InvalidInput: a value is out of range; names the field and the value.
    """

    max_staleness_s: float = 10.0
    workers: int = 4
    epoch_read_us: float = 64.0
    """CPU of one prepared SELECT of an epoch, in microseconds."""

    def __post_init__(self) -> None:
        if not 0 <= self.max_staleness_s <= _LONGEST_S:
            raise InvalidInput(
                "max_staleness_s",
                f"must be in [0, {_LONGEST_S:g}] seconds, got {self.max_staleness_s!r}",
            )
        if self.workers < 1:
            raise InvalidInput("workers", f"must be >= 1, got {self.workers!r}")
        if not (np.isfinite(self.epoch_read_us) and self.epoch_read_us >= 0):
            raise InvalidInput("epoch_read_us", f"must be >= 0, got {self.epoch_read_us!r}")

    def cpu_s_a_day(self, reads_a_day: float) -> float:
        """CPU seconds that so many reads take."""
        return reads_a_day * self.epoch_read_us / 1e6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StalenessStudy:
    """Reads saved against answers late; every figure is simulated.

    `table` has the columns of `StalenessReport` and `cpu_s_saved_a_day`, a row per permitted
    staleness and number of processes; `agreement` those of `flat_agreement`.
    """

    assumptions: StalenessAssumptions
    deployed_s: float
    """The permitted staleness of the settings in force; 0 is strict."""
    strict_cpu_s_a_day: float
    """What reading the epoch for every request takes."""
    table: pd.DataFrame
    agreement: pd.DataFrame
    saved: Estimate
    """Share of the reads that the setting to weigh saves: as assumed, and the band."""
    late: Estimate
    """Share of requests that it answers late, likewise."""
    traffics: int

    @classmethod
    def of(
        cls,
        timelines: Sequence[Timeline],
        setting: Setting,
        assumptions: StalenessAssumptions,
        *,
        deployed_s: float,
        flat: Traffic,
    ) -> Self:
        """Simulate the usual settings, the deployed one and the one to weigh.

        The first of `timelines` is the traffic as assumed, all make the bands of the one to weigh;
        `flat` is traffic without a daily cycle, for the closed forms.
        """
        timeline = timelines[0]
        table = staleness_sweep(
            timeline,
            setting,
            max_staleness_s=sorted({*MAX_STALENESS_S, deployed_s, assumptions.max_staleness_s}),
            workers=sorted({*WORKERS, assumptions.workers}),
        )
        saved_cpu = table["reads_saved_a_day"].map(assumptions.cpu_s_a_day)
        saved, late = _bands(timelines, setting, assumptions)
        traffic = timeline.traffic
        asked_a_day = len(traffic) / traffic.span_s * DAY_S if traffic.span_s else 0.0
        return cls(
            assumptions=assumptions,
            deployed_s=deployed_s,
            strict_cpu_s_a_day=assumptions.cpu_s_a_day(asked_a_day),
            table=table.assign(cpu_s_saved_a_day=saved_cpu),
            agreement=flat_agreement(flat, seed=setting.seed),
            saved=saved,
            late=late,
            traffics=len(timelines),
        )

    @property
    def weighed(self) -> pd.Series[float]:
        """The row of the assumed setting."""
        return self._row(self.assumptions.max_staleness_s)

    @property
    def deployed(self) -> pd.Series[float]:
        """The row of the deployed setting, on as many processes."""
        return self._row(self.deployed_s)

    def _row(self, staleness_s: float) -> pd.Series[float]:
        table = self.table
        at = table["max_staleness_s"].eq(staleness_s) & table["workers"].eq(
            self.assumptions.workers
        )
        row: pd.Series[float] = table[at].iloc[0]
        return row


def _bands(
    timelines: Sequence[Timeline], setting: Setting, assumed: StalenessAssumptions
) -> tuple[Estimate, Estimate]:
    """Reads saved and answers late of the setting to weigh, shares of all requests."""
    rows = pd.concat(
        staleness_sweep(
            each, setting, max_staleness_s=[assumed.max_staleness_s], workers=[assumed.workers]
        )
        for each in timelines
    )
    return band((1 - rows["reads_per_request"]).tolist()), band(rows["late_share"].tolist())


def flat_agreement(
    traffic: Traffic,
    *,
    max_staleness_s: Sequence[float] = (600.0, 3_600.0, 36_000.0),
    workers: Sequence[int] = WORKERS,
    seed: int = 7,
) -> pd.DataFrame:
    """Simulated beside closed form on flat traffic, at times that show in so little of it.

    Columns: max_staleness_s, workers, figure, simulated, closed_form, gap.
    """
    rows = []
    for count in workers:
        by_process = spread_over(traffic, count, seed=seed)
        for staleness_s in max_staleness_s:
            held = copies(by_process, staleness_s)
            read = flat_reads_per_request(traffic, staleness_s, count)
            wrong = flat_outdated_share(traffic, staleness_s, count)
            simulated = float(held.read.mean()), float(outdated(traffic, held).mean())
            rows += [
                (staleness_s, count, "epoch reads per request", simulated[0], read),
                (staleness_s, count, "share under an outdated epoch", simulated[1], wrong),
            ]
    names = ["max_staleness_s", "workers", "figure", "simulated", "closed_form"]
    table = pd.DataFrame(rows, columns=names)
    return table.assign(gap=table["simulated"] - table["closed_form"])
