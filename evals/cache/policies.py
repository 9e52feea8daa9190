"""Every policy at every answer TTL, on plausible traffics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd

from evals.simulation.simulator import Policy, Setting, combinations, simulate
from evals.simulation.timeline import Timeline
from rag_core.cli import progress_bar

BANDED = (
    "hit_rate",
    "valid_hit_rate",
    "stale_share_of_hits",
    "calls_per_1000",
    "mb_per_1000_users",
)


def policy_bands(
    timelines: Sequence[Timeline], ttls_s: Sequence[float], base: Setting
) -> pd.DataFrame:
    """A row per policy and answer TTL.

    Columns: policy, answer_soft_ttl_s, and of each figure in `BANDED` its value on the first of the
    traffics, and `_low` and `_high`, the lowest and the highest of all.
    """
    grid = combinations({"policy": list(Policy), "answer_soft_ttl_s": ttls_s})
    rows = []
    with progress_bar(len(grid), "compare policies", "setting") as bar:
        for values in grid:
            setting = base.with_values(**values)
            rows.append(values | _bands([_figures(each, setting) for each in timelines]))
            bar.update()
    return pd.DataFrame(rows)


def _figures(timeline: Timeline, setting: Setting) -> dict[str, float]:
    report = simulate(timeline, setting)
    users = len(set(timeline.traffic.user.tolist()))
    return asdict(report) | {
        "calls_per_1000": 1_000 * report.llm_calls / report.requests,
        "mb_per_1000_users": 1_000 * report.answer_bytes_peak / users / 1e6,
    }


def _bands(figures: Sequence[dict[str, float]]) -> dict[str, float]:
    table = pd.DataFrame(figures)[list(BANDED)]
    bands: dict[str, float] = {str(name): value for name, value in table.iloc[0].items()}
    for end, values in (("low", table.min()), ("high", table.max())):
        bands |= {f"{name}_{end}": float(value) for name, value in values.items()}
    return bands
