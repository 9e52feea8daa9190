"""Benchmarks at a small size: each measures what it says, and what has to hold at any speed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evals.bench import (
    cache_fleet,
    cache_freeze,
    cache_hit,
    store_save,
    store_search,
    store_wait,
)
from evals.bench.figures import Bench

SMALL: dict[Bench, dict[str, int]] = {
    cache_hit.cached_answer: {"ROUNDS": 1, "CALLS": 32},
    cache_fleet.simultaneous_misses: {"PROCESSES": 2, "MISSES": 20},
    cache_freeze.frozen_redis: {"ROUNDS": 1},
    store_search.exact_search: {"CHUNKS": 100, "ROUNDS": 1},
    store_save.redis_states: {"ROUNDS": 1},
    store_wait.queued_saves: {"SAVERS": 2, "QUESTIONS": 20},
}
CERTAIN = ("LLM calls they made", "errors while frozen")
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
    assert [f for f in figures if f.name in CERTAIN and f.met is False] == []
