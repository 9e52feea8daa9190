"""Search by a graph beside lists, exact scans, bare psycopg and hnswlib: the requirement's bars."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from evals.bench.environments import made
from evals.bench.figures import Figure
from evals.hnsw.grid import DEPLOYED, GRIDS, Grid
from evals.hnsw.headlines import headlines
from evals.hnsw.limit import ENVIRONMENT
from evals.hnsw.study import Asked, study
from evals.project import GOLDEN
from evals.results import numbers
from evals.results.result import Headline
from rag_core.errors import ConfigurationError

HNSWLIB = ("numpy", "hnswlib==0.8.0")
"""The limit: a source package, which takes a C++ compiler."""

# Chosen: passes enough for a p99 of 170 questions, and finer steps than a profile's, so that no
# index is judged by one that is too wide for it.
_VECTORS = replace(
    GRIDS["full"],
    ef_search=(40, 50, 60, 80, 100, 150),
    probed=(0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.45, 0.6),
    last_passes=12,
)
TEN_THOUSAND = replace(
    _VECTORS, sizes=(10_000,), graphs=((16, 64), (16, 128), (16, 256), DEPLOYED, (32, 128))
)
HUNDRED_THOUSAND = replace(_VECTORS, sizes=(100_000,))
"""The graphs of the profile alone: each takes a minute."""


async def ten_thousand(folder: Path) -> list[Figure]:
    """A tenant of 10,000 chunks among others, over half vectors as deployed."""
    return await measured(TEN_THOUSAND)


async def hundred_thousand(folder: Path) -> list[Figure]:
    """The same with 100,000, most of them perturbed copies; a graph takes minutes to build."""
    return await measured(HUNDRED_THOUSAND)


async def measured(grid: Grid, golden: Path = GOLDEN) -> list[Figure]:
    """The headlines of a study of `grid` over the sentences of `golden`."""
    run = await study(Asked(golden=golden, grid=grid, hnswlib_python=_hnswlib()))
    graph = run.recommended(run.headline_size)
    found = Figure(
        "the graph, chosen on split dev", str(graph.setting), f"recall@5 {graph.share:.3f} there"
    )
    about = Figure("rows", run.rows[run.headline_size], "and three smaller tenants")
    return [about, found, *map(_figure, headlines(run))]


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
