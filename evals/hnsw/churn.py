"""A graph that its rows changed under: recall and latency before, after, and after a vacuum."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pgvector import Vector as PgVector

from evals.hnsw.corpus import enlarged
from evals.hnsw.grid import LARGEST, Kind, Setting
from evals.hnsw.oracle import Oracle
from evals.hnsw.tables import SCHEMA, build_index, index_name, table_name
from evals.hnsw.timing import Clients, Timing
from evals.measures.scores import Aggregate
from rag_core.adapters.postgres import Connection

if TYPE_CHECKING:
    from rag_core.domain import Matrix

CHANGED = 0.2
"""Share of rows that get another vector, and share of the others that are deleted."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The index at a moment: what a search finds and takes, seconds it took to get there."""

    name: str
    seconds: float
    recall: Aggregate
    timing: Timing
    short: int
    """Number of searches that found fewer rows than there are."""
    index_bytes: int


@dataclass(frozen=True, slots=True)
class Churned:
    """The stages, and milliseconds a changed row, with the index and without any."""

    size: int
    setting: Setting
    stages: tuple[Stage, ...]
    write_ms: float
    bare_write_ms: float


class Churn:
    """One table with its graph, rows of which are changed.

    `vectors` float32[rows, 384] are those of all tenants, `rows` the largest tenant's.
    """

    def __init__(
        self,
        connection: Connection,
        clients: Clients,
        setting: Setting,
        vectors: Matrix,
        rows: slice,
        questions: Matrix,
    ) -> None:
        self._connection, self._clients, self._setting = connection, clients, setting
        self._vectors, self._rows, self._questions = vectors.copy(), rows, questions
        self._stages: list[Stage] = []
        self._gone: set[int] = set()
        self._passes = 1

    async def run(self, size: int, *, passes: int, seed: int) -> Churned:
        """Change, look, vacuum, look, build anew, look; leaves table and index changed."""
        self._passes = passes
        rng = np.random.default_rng(seed)
        order = rng.permutation(np.arange(self._rows.start, self._rows.stop))
        count = max(1, round(CHANGED * len(order)))
        updated, deleted = order[:count], order[count : 2 * count]
        new = enlarged(self._vectors[updated], 2 * count, seed=seed)[count:]
        await self._look("as built", 0.0)
        graph, bare = (table_name(kind, self._setting.kept) for kind in (Kind.HNSW, Kind.EXACT))
        bare_s = await self._change(bare, updated, new, deleted)
        changing_s = await self._change(graph, updated, new, deleted)
        self._vectors[updated] = new
        self._gone = set(map(int, deleted))
        await self._look("20 % updated, 20 % deleted", changing_s)
        await self._look("vacuumed", await self._timed(f"VACUUM {graph}"))
        built = await build_index(self._connection, self._setting.build)
        await self._look("index built anew", built.seconds)
        each_ms = 1000 / (2 * count)
        return Churned(
            size, self._setting, tuple(self._stages), changing_s * each_ms, bare_s * each_ms
        )

    async def _change(self, table: str, updated: Matrix, new: Matrix, deleted: Matrix) -> float:
        """Seconds; a statement a row, as when people edit their notes, in one transaction."""
        update = f"UPDATE {table} SET embedding = %s WHERE user_id = %s AND note_id = %s"
        delete = f"DELETE FROM {table} WHERE user_id = %s AND note_id = %s"
        began = time.perf_counter()
        async with self._connection.transaction(), self._connection.cursor() as cursor:
            rows = zip(updated, new, strict=True)
            await cursor.executemany(
                update.encode(), [(PgVector(vector), LARGEST, str(row)) for row, vector in rows]
            )
            await cursor.executemany(delete.encode(), [(LARGEST, str(row)) for row in deleted])
        return time.perf_counter() - began

    async def _timed(self, line: str) -> float:
        began = time.perf_counter()
        await self._connection.execute(line.encode())
        return time.perf_counter() - began

    async def _look(self, name: str, seconds: float) -> None:
        timing = await self._clients.measure(
            self._setting, LARGEST, self._questions, passes=self._passes
        )
        oracle = self._oracle()
        found = await self._connection.execute(
            "SELECT pg_relation_size(%s::regclass)",
            [f"{SCHEMA}.{index_name(Kind.HNSW, self._setting.kept)}"],
        )
        row = await found.fetchone()
        size = int(row[0]) if row else 0
        self._stages.append(
            Stage(name, seconds, timing.recall(oracle), timing, timing.short(oracle), size)
        )

    def _oracle(self) -> Oracle:
        """Over the rows that are there; those deleted are as far away as can be."""
        vectors = self._vectors[self._rows].copy()
        vectors[[row - self._rows.start for row in self._gone]] = 0.0
        oracle = Oracle.of(vectors, self._questions, first=self._rows.start)
        return oracle
