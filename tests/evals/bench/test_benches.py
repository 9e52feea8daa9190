"""Benchmarks at a small size: each measures what it says, and what has to hold at any speed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evals.bench import (
    access,
    cache_fleet,
    cache_freeze,
    cache_hit,
    guard,
    guard_fleet,
    hedging,
    ledger,
    store_save,
    store_search,
    store_wait,
)
from evals.bench.figures import Bench

SMALL: dict[Bench, dict[str, int]] = {
    cache_hit.cached_answer: {"ROUNDS": 1, "CALLS": 32},
    cache_fleet.simultaneous_misses: {"PROCESSES": 2, "MISSES": 20},
    cache_freeze.frozen_redis: {"ROUNDS": 1},
    access.known_user: {"ROUNDS": 1, "REQUESTS": 10, "FIRST_REQUESTS": 2},
    guard.added_cpu: {"ROUNDS": 1, "CALLS": 10},
    guard_fleet.shared_breaker: {"PROCESSES": 2, "OUTAGES": 1},
    hedging.hedged_tail: {"ROUNDS": 1, "CALLS": 60},
    ledger.raced_budget: {"PROCESSES": 2, "REQUESTS": 40, "ROOM": 12, "KILLED": 1, "TTL_S": 4},
    ledger.hold_and_settle: {"ROUNDS": 10},
    store_search.exact_search: {"CHUNKS": 100, "ROUNDS": 1},
    store_save.redis_states: {"ROUNDS": 1},
    store_wait.queued_saves: {"SAVERS": 2, "QUESTIONS": 20},
}
CERTAIN = (
    *("LLM calls they made", "errors while frozen", "probes at once"),
    "round trips to Redis of hold + settle",
    *("$ charged past the cap, processes killed", "$ charged past the cap, Redis lost"),
    *("Redis − Postgres, of all and of each user", "held when all has ended"),
)
"""Figures that no slow machine excuses."""


@pytest.mark.parametrize("bench", SMALL, ids=lambda bench: bench.__name__)
async def test_it_measures_every_figure(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SMALL[bench].items():
        monkeypatch.setattr(f"{bench.__module__}.{name}", value)
    figures = await bench(tmp_path)
    assert figures
    assert len({figure.name for figure in figures}) == len(figures)
    assert [figure for figure in figures if not re.search(r"\d", figure.measured)] == []
    assert [f for f in figures if f.name.startswith(CERTAIN) and f.met is False] == []
