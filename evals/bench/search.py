"""Search by a graph beside lists, exact scans, bare psycopg and hnswlib: the requirement's bars."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from evals.bench.environments import made
from evals.bench.figures import Figure
from evals.hnsw.grid import GRIDS, Grid, Kept
from evals.hnsw.headlines import headlines
from evals.hnsw.limit import ENVIRONMENT
from evals.hnsw.study import Asked, study
from evals.project import GOLDEN
from evals.results import numbers
from evals.results.result import Headline
from rag_core.errors import ConfigurationError

HNSWLIB = ("numpy", "hnswlib==0.8.0")
"""The limit: a source package, which takes a C++ compiler."""

# Chosen: passes enough for a p99 of 170 questions, and the graphs of the profile full.
PASSES = 12
SIZES = (10_000,)
LARGE = (100_000,)
PROFILE = "full"


async def ten_thousand(folder: Path) -> list[Figure]:
    """A tenant of 10,000 chunks among others, over vectors as they are."""
    return await _measured(folder, SIZES)


async def hundred_thousand(folder: Path) -> list[Figure]:
    """The same with 100,000, most of them perturbed copies; a graph takes minutes to build."""
    return await _measured(folder, LARGE)


async def _measured(folder: Path, sizes: tuple[int, ...]) -> list[Figure]:
    run = await study(Asked(golden=GOLDEN, grid=_grid(sizes), hnswlib_python=_hnswlib()))
    graph = run.recommended(run.headline_size)
    found = Figure(
        "the graph, chosen on split dev", str(graph.setting), f"recall@5 {graph.share:.3f} there"
    )
    about = Figure("rows", run.rows[run.headline_size], "and three smaller tenants")
    return [about, found, *map(_figure, headlines(run))]


def _grid(sizes: tuple[int, ...]) -> Grid:
    """What the profile tries, over vectors as they are, with passes enough for a p99."""
    return replace(GRIDS[PROFILE], sizes=sizes, kept=(Kept.VECTOR,), last_passes=PASSES)


def _hnswlib() -> str:
    """A Python that has it; this one, which has it not, where it cannot be made."""
    try:
        return str(made(ENVIRONMENT.parents[1].name, HNSWLIB))
    except ConfigurationError as error:
        print(f"hnswlib is not measured: {error}", file=sys.stderr)
        return ""


def _figure(headline: Headline) -> Figure:
    """A headline with its interval; what was not measured says why, and meets no reference."""
    measured = numbers.number(headline.value, headline.unit)
    interval = numbers.interval(headline)
    told = numbers.reasons(headline.reasons) if headline.value is None else interval
    met = None if headline.target is None else headline.status == "good"
    return Figure(
        headline.name, f"{measured} ({told})" if told else measured, numbers.target(headline), met
    )
