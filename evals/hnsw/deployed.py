"""rag_core's own search beside bare psycopg, over the same table and index, in turns."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from pgvector import Vector as PgVector

from evals.hnsw.grid import Setting
from evals.hnsw.oracle import K, Oracle
from evals.hnsw.prepared import assembled, store_rows
from evals.hnsw.proof import check_count
from evals.hnsw.statement import session
from evals.hnsw.tables import connected
from evals.hnsw.timing import quantile
from evals.measures.scores import Aggregate, Scored, aggregate
from rag_core.adapters.postgres import (
    HNSW_INDEX,
    Connection,
    IndexKind,
    PostgresRetriever,
    index_vectors,
    never_sorting,
)
from rag_core.domain import Query, SearchMethod, UserId, authenticated
from rag_core.errors import ConfigurationError
from rag_core.migrations import migrate

if TYPE_CHECKING:
    from rag_core.domain import Matrix, Vector

# How many are wanted is written into them, as it is into rag_core's own: see `search_sql`.
_DISTANCE = "(embedding::halfvec(384)) <#> %(vector)b::halfvec(384)"
_KEYS = f"""
SELECT note_id, position, {_DISTANCE} AS distance FROM chunk_vectors
WHERE user_id = %(user)b ORDER BY distance LIMIT {K}
"""
_WITH_TEXT = f"""
WITH nearest AS MATERIALIZED (
    SELECT user_id, note_id, position, embedding <#> %(vector)b AS distance FROM chunk_vectors
    WHERE user_id = %(user)b ORDER BY {_DISTANCE} LIMIT {K}
)
SELECT nearest.note_id, nearest.position, notes.title, chunks.heading, chunks.text,
       chunks.start_char, chunks.end_char, notes.author, notes.date, notes.tags,
       notes.verses::text, nearest.distance
FROM nearest JOIN chunks USING (user_id, note_id, position)
JOIN notes ON notes.user_id = nearest.user_id AND notes.id = nearest.note_id
"""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to search, and what each timed search took on the client's side."""

    name: str
    ms: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    rows: dict[int, list[int]] = field(default_factory=dict)
    """Found for each question."""

    def add(self, question: int, rows: list[int], wall_s: float, cpu_s: float) -> None:
        """Note a timed search: the number of its question, rows found, seconds, CPU seconds."""
        self.ms.append(1000 * wall_s)
        self.cpu_us.append(1e6 * cpu_s)
        self.rows[question] = rows

    def p(self, share: float) -> float | None:
        """The quantile of the latency, in milliseconds; None where too few lie beyond it."""
        return quantile(self.ms, share)

    @property
    def mean_cpu_us(self) -> float:
        """Microseconds a search of this process."""
        return sum(self.cpu_us) / len(self.cpu_us)

    def recall(self, oracle: Oracle) -> Aggregate:
        """Over questions."""
        found = {str(n): Scored(oracle.recall(n, rows)) for n, rows in self.rows.items()}
        return aggregate("recall@5", found, proportion=True)


@dataclass(frozen=True, slots=True)
class Overhead:
    """rag_core's retriever, bare psycopg that fetches the same texts, and one that fetches keys."""

    size: int
    setting: Setting
    index: str
    """What the retriever's own plan scans."""
    ours: Way
    same: Way
    keys: Way
    recall: Aggregate
    """Of the retriever."""


async def measure_overhead(
    url: str, setting: Setting, vectors: Matrix, questions: Matrix, *, passes: int
) -> Overhead:
    """Ask in turns, one client: `vectors` float32[rows, 384] are the notes of one user.

    The database at `url` is migrated where it is not, and keeps the notes.

    Raises:
        ConfigurationError: a search does not use the index.
    """
    await asyncio.to_thread(migrate, url)
    user, build = authenticated("hnsw-study"), setting.build
    async with assembled(url, SearchMethod.EXACT, setting.width, vectors) as application:
        await store_rows(application, user, range(len(vectors)))
    await _vacuum(url)  # before there is a graph: that of 100,000 rows takes many minutes
    await index_vectors(url, IndexKind.HNSW, m=build.m, ef_construction=build.ef_construction)
    async with (
        assembled(never_sorting(url), SearchMethod.HNSW, setting.width, vectors) as application,
        await connected(url) as bare,
        await connected(url) as keys_only,
    ):
        for each in (bare, keys_only):
            await _like_ours(each, setting)
        searches = (
            partial(_ours, application.retriever, user),
            partial(_bare, bare, _WITH_TEXT, user),
            partial(_bare, keys_only, _KEYS, user),
        )
        index = await _planned(application.retriever, user, questions[0])
        before = await _scanned(bare, keys_only)
        ways = await _in_turns(searches, questions, passes)
        counted = await _scanned(bare, keys_only) - before
        check_count(setting, counted, 2 * len(questions) * (passes + 1))
    recall = ways[0].recall(Oracle.of(vectors, questions))
    return Overhead(len(vectors), setting, index, *ways, recall)


async def _planned(retriever: PostgresRetriever, user: UserId, vector: Vector) -> str:
    plan = await retriever.explain(user, Query(vector), k=K)
    used = [node.index for node in plan if node.table == "chunk_vectors"]
    if HNSW_INDEX not in used:
        raise ConfigurationError("search", f"is to be by {HNSW_INDEX}, but the plan uses {used}")
    return HNSW_INDEX


async def _like_ours(connection: Connection, setting: Setting) -> None:
    """What the retriever tells the server with each search, told once."""
    for name, value in session(setting).items():
        await connection.execute("SELECT set_config(%s, %s, false)", [name, value])


async def _vacuum(url: str) -> None:
    """By a connection of its own: one that has vacuumed keeps memory, and searches faster."""
    async with await connected(url) as connection:
        await connection.execute("VACUUM ANALYZE")


async def _scanned(*connections: Connection) -> int:
    """How often the index was scanned, once they have handed in all that they counted."""
    for each in connections:
        await each.execute("SELECT pg_stat_force_next_flush()")
    found = await connections[0].execute(
        "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = %s", [HNSW_INDEX]
    )
    row = await found.fetchone()
    return int(row[0]) if row else 0


async def _ours(retriever: PostgresRetriever, user: UserId, vector: Vector) -> list[int]:
    ranking = await retriever.search(user, Query(vector), k=K)
    return [int(hit.note_id[1:]) for hit in ranking.hits]


async def _bare(connection: Connection, sql: str, user: UserId, vector: Vector) -> list[int]:
    asked = {"vector": PgVector(vector), "user": user}
    cursor = await connection.execute(sql.encode(), asked, binary=True)
    return [int(row[0][1:]) for row in await cursor.fetchall()]


async def _in_turns(
    searches: Sequence[Callable[[Vector], Awaitable[list[int]]]], questions: Matrix, passes: int
) -> tuple[Way, Way, Way]:
    """Every question by each way, the next one first each time; the first pass warms up.

    Whoever goes first finds the processor's caches without what the question needs; a server
    process that has just searched finds in them what it needs itself, so each way has its own.
    """
    ways = Way("rag_core"), Way("psycopg, with texts"), Way("psycopg, keys only")
    turns = deque(zip(ways, searches, strict=True))
    for number in range(-len(questions), passes * len(questions)):
        question = number % len(questions)
        turns.rotate(-1)
        for way, search in turns:
            began, cpu_s = time.perf_counter(), time.process_time()
            rows = await search(questions[question])
            spent = time.perf_counter() - began, time.process_time() - cpu_s
            if number >= 0:
                way.add(question, rows, *spent)
    return ways
