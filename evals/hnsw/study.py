"""The study: one size after the other, then churn, the limit, and rag_core's own search."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from evals.datasets.golden_checks import load_checked
from evals.hnsw.churn import Churned
from evals.hnsw.corpus import Corpus
from evals.hnsw.deployed import Overhead, measure_overhead
from evals.hnsw.embedded import embedded_corpus
from evals.hnsw.front import Tried, chosen
from evals.hnsw.grid import DEPLOYED_KEPT, GRIDS, LARGEST, Grid, Kind, tenant_rows
from evals.hnsw.limit import Limit, interpreter, measure_limit
from evals.hnsw.run import Cold, HnswRun, Seen, headline_size
from evals.hnsw.server import OwnServer, own_server
from evals.hnsw.tables import connected, schema
from evals.hnsw.trial import Rows, Trial
from evals.measures.scores import Unscored
from rag_core.errors import InvalidInput

_GRAPH = f"{Kind.HNSW} {DEPLOYED_KEPT}"
"""The family that is deployed: rows are changed under it, and hnswlib has it, too."""


@dataclass(frozen=True, slots=True)
class _OfSize:
    """What came of one size; `churned` only at that of the headlines."""

    tried: list[Tried]
    seen: list[Seen]
    cold: list[Cold]
    churned: Churned | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a study is asked for.

    Args:
        profile: names the grid.
        hnswlib_python: a Python that has hnswlib; see `interpreter`.
        grid: in place of the profile's.

    Raises:
        InvalidInput: there is no such profile.
    """

    golden: Path
    profile: str = "full"
    hnswlib_python: str = ""
    seed: int = 0
    grid: Grid | None = None

    def __post_init__(self) -> None:
        if self.profile not in GRIDS:
            known = ", ".join(GRIDS)
            raise InvalidInput("profile", f"must be one of {known}, got {self.profile!r}")

    @property
    def tried(self) -> Grid:
        """The grid to try."""
        return self.grid or GRIDS[self.profile]


async def study(asked: Asked) -> HnswRun:
    """Try all of the grid, in a server of the study's own, which is gone afterwards.

    Raises:
        InvalidInput: the golden folder has a mistake, or too little in it.
        ConfigurationError: a search does not run by the index that it is said to.
        Unavailable: the server does not start.
    """
    began = time.perf_counter()
    data = await asyncio.to_thread(load_checked, asked.golden)
    most = sum(tenant_rows(max(asked.tried.sizes)).values())
    rows, embedder_digest = await embedded_corpus(
        data, most, questions=asked.tried.questions, seed=asked.seed
    )
    grid, headline = asked.tried, headline_size(asked.tried)
    with TemporaryDirectory(prefix="rag-hnsw-") as folder:
        async with own_server(Path(folder)) as server:
            parts = {size: await _one_size(server, asked, rows, size) for size in grid.sizes}
            overhead, limit = await _beside(server, asked, rows, parts[headline].tried)
    churned = parts[headline].churned
    assert churned is not None
    return HnswRun(
        grid=grid,
        tried=[each for part in parts.values() for each in part.tried],
        seen=[each for part in parts.values() for each in part.seen],
        cold=[each for part in parts.values() for each in part.cold],
        churned=churned,
        overhead=overhead,
        limit=limit,
        rows={size: rows.made_of(sum(tenant_rows(size).values())) for size in grid.sizes},
        apart=rows.apart,
        golden_digest=data.digest,
        embedder_digest=embedder_digest,
        profile=asked.profile,
        seed=asked.seed,
        seconds=time.perf_counter() - began,
    )


async def _one_size(server: OwnServer, asked: Asked, rows: Corpus, size: int) -> _OfSize:
    grid = asked.tried
    trial = Trial(server, grid, rows, Rows.of(rows, size), seed=asked.seed)
    async with schema(server.url):
        async with await connected(server.url) as connection:
            await trial.fill(connection)
            tried = await trial.try_all(connection)
            best = chosen(tried)
            built = await trial.rebuild(connection, [each.setting for each in best.values()])
        seen = await trial.look(built)
        cold = await trial.look_cold(list(built))
        if size != headline_size(grid):
            return _OfSize(tried, seen, cold, None)
        async with await connected(server.url) as connection:
            churned = await trial.churn(connection, best[_GRAPH].setting)
    return _OfSize(tried, seen, cold, churned)


async def _beside(
    server: OwnServer, asked: Asked, rows: Corpus, tried: list[Tried]
) -> tuple[Overhead, Limit | Unscored]:
    """The same graph by rag_core and by hnswlib, over the largest tenant's rows alone."""
    here, passes = Rows.of(rows, headline_size(asked.tried)), asked.tried.last_passes
    vectors, questions = here.vectors[here.tenants[LARGEST]], rows.questions["test"]
    setting = chosen(tried)[_GRAPH].setting
    limit = await asyncio.to_thread(
        measure_limit, interpreter(asked.hnswlib_python), setting.build, setting.width,
        vectors, questions, passes=passes,
    )  # fmt: skip
    overhead = await measure_overhead(server.url, setting, vectors, questions, passes=passes)
    return overhead, limit
