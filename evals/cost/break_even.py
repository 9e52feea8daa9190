"""When a cache level pays for the memory it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evals.cost.model import CostAssumptions
from evals.simulation.prices import ComputePrices
from evals.simulation.simulator import CacheReport, Setting


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheLevel:
    """What one entry costs to keep, what each lookup costs, and what one hit spares."""

    name: str
    entry_bytes: float
    held_s: float
    saving_usd_per_hit: float
    lookup_usd: float = 0.0
    """Of hits and misses alike."""


def cache_levels(
    assumptions: CostAssumptions, setting: Setting, compute: ComputePrices
) -> tuple[CacheLevel, CacheLevel, CacheLevel]:
    """The three levels with the money each hit spares: an LLM call, or CPU."""
    return (
        CacheLevel(
            name="answer",
            entry_bytes=setting.answer_bytes,
            held_s=setting.answer_hard_ttl_s,
            saving_usd_per_hit=assumptions.factors(users=1).usd_per_request,
            lookup_usd=compute.cpu_usd(compute.epoch_read_cpu_s),
        ),
        CacheLevel(
            name="embedding",
            entry_bytes=setting.embedding_bytes,
            held_s=setting.embedding_ttl_s,
            saving_usd_per_hit=compute.cpu_usd(compute.embed_cpu_s),
        ),
        CacheLevel(
            name="context",
            entry_bytes=setting.context_bytes,
            held_s=setting.context_ttl_s,
            saving_usd_per_hit=compute.cpu_usd(compute.retrieve_cpu_s),
        ),
    )


def achieved_hit_rates(report: CacheReport) -> dict[str, float]:
    """Each level's share of its own lookups, by the simulation; an answer's must be valid."""
    return {
        "answer": report.valid_hit_rate,
        "embedding": report.embedding_hit_rate,
        "context": report.context_hit_rate,
    }


def break_even(
    levels: Sequence[CacheLevel],
    compute: ComputePrices,
    achieved: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """The hit rate from which each level pays, a row per level.

    A miss stores an entry that is held for its TTL at m dollars, a hit spares s, and each lookup
    costs r: it pays from h s = (1 - h) m + r, that is h = (m + r) / (m + s); above 1 it never
    does. `hits_per_gb_month` are the hits that pay for a GB kept all month, full or not, as a
    rented Redis is. `achieved` adds a column with the hit rate that each level reaches.
    """
    table = pd.DataFrame([_row(level, compute) for level in levels])
    if achieved is None:
        return table
    return table.assign(achieved_hit_rate=table["level"].map(dict(achieved)))


def _row(level: CacheLevel, compute: ComputePrices) -> dict[str, object]:
    price, saving = compute.memory_usd_per_gb_month, level.saving_usd_per_hit
    entry_usd = compute.memory_usd(level.entry_bytes, level.held_s)
    total = entry_usd + saving
    return {
        "level": level.name,
        "saving_usd_per_hit": saving,
        "entry_usd": entry_usd,
        "lookup_usd": level.lookup_usd,
        "break_even_hit_rate": (entry_usd + level.lookup_usd) / total if total else 0.0,
        "hits_per_gb_month": price / saving if saving else np.inf,
    }
