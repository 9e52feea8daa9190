"""Exact search and bulk writing, against 0.1.0's statement and against bare psycopg."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
import psycopg
from pgvector import Vector as PgVector
from pgvector.psycopg import register_vector_async

from evals.bench.figures import Figure
from evals.bench.world import QUESTION, USER, bench, notes
from evals.results.numbers import number
from rag_core.adapters.embedders import HashingEmbedder
from rag_core.domain import Query, UserId, WholeNoteChunker
from rag_core.ingest import Ingest

# Chosen: a large user's chunks, a bulk of them, and searches timed; `K` is the default top_k.
CHUNKS = 10_000
WRITTEN = 3_000
ROUNDS = 40
K = 5

Connection = psycopg.AsyncConnection[tuple[Any, ...]]

# The table of 0.1.0, vectors and texts in one row, and its statement.
_WIDE = """
CREATE TABLE wide_chunks AS SELECT * FROM note_chunks;
ALTER TABLE wide_chunks ALTER COLUMN embedding SET STORAGE PLAIN;
ALTER TABLE wide_chunks ADD PRIMARY KEY (user_id, note_id, position);
VACUUM ANALYZE wide_chunks;
VACUUM ANALYZE chunk_vectors;
"""
_WIDE_SEARCH = """
WITH nearest AS MATERIALIZED (
    SELECT user_id, note_id, position, embedding <=> %(vector)b AS distance
    FROM wide_chunks WHERE user_id = %(user)b
    ORDER BY (embedding <=> %(vector)b) + 0, note_id, position LIMIT %(k)b
)
SELECT users.embedder, nearest.note_id, nearest.position, notes.title, chunk.heading, chunk.text,
       chunk.start_char, chunk.end_char, notes.author, notes.date, notes.tags, notes.verses::text,
       nearest.distance
FROM users
LEFT JOIN nearest ON nearest.user_id = users.id
LEFT JOIN wide_chunks AS chunk USING (user_id, note_id, position)
LEFT JOIN notes ON notes.user_id = nearest.user_id AND notes.id = nearest.note_id
WHERE users.id = %(user)b
"""
_BARE_SEARCH = f"""
SELECT note_id, position, embedding <#> %(vector)b AS distance FROM chunk_vectors
WHERE user_id = %(user)b ORDER BY distance LIMIT {K}
"""


async def exact_search(folder: Path) -> list[Figure]:
    """One user's 10,000 chunks: the retriever that is deployed, in alternating rounds."""
    async with bench(folder, chunks=CHUNKS, cache="memory") as world:
        vector = (await HashingEmbedder().embed([QUESTION]))[0]
        query = Query(vector, QUESTION)
        retriever = world.application.retriever
        async with await _connected(world.database_url) as connection:
            for statement in _WIDE.strip().split("\n"):
                await connection.execute(statement.encode())
            parameters = {"user": USER, "vector": PgVector(vector), "k": K}

            async def bare(sql: str) -> None:
                cursor = await connection.execute(sql, parameters, binary=True)
                assert len(await cursor.fetchall()) == K

            async def ours() -> None:
                assert len((await retriever.search(USER, query, k=K)).hits) == K

            times = await _alternating(ours, lambda: bare(_WIDE_SEARCH), lambda: bare(_BARE_SEARCH))
    mine, wide, narrow = (statistics.median(each) for each in times)
    return [
        Figure("0.1.0's statement, bare psycopg", number(wide, "ms"), f"{CHUNKS:,} chunks, p50"),
        Figure("bare psycopg on the same table", number(narrow, "ms"), "keys and distance only"),
        Figure("search, hits with text", number(mine, "ms"), ""),
        Figure("search / 0.1.0", number(mine / wide, "×"), "≤ 0.5 ×", mine / wide <= 0.5),
        Figure("search / bare", number(mine / narrow, "×"), "≤ 1.15 ×", mine / narrow <= 1.15),
    ]


async def written_chunks(folder: Path) -> list[Figure]:
    """CPU time of Postgres' own process for 3,000 chunks, as an ingest writes them."""
    async with bench(folder, chunks=10, cache="memory") as world:
        ingest = Ingest(
            store=world.application.notes, embedder=HashingEmbedder(), chunker=WholeNoteChunker()
        )
        batch = notes(WRITTEN)
        async with await _connected(world.database_url) as connection:
            before = await _server_cpu_s(connection)
            began = time.perf_counter()
            await ingest.run(UserId("writer"), batch)
            wall_s = time.perf_counter() - began
            spent = await _server_cpu_s(connection) - before
    return [
        Figure(f"ingest of {WRITTEN:,} chunks, hashed vectors", number(wall_s, "s"), "wall"),
        Figure("database time of it", f"{number(spent, 's')} CPU", "≤ 0.2 s", spent <= 0.2),
    ]


async def _connected(url: str) -> Connection:
    connection = await psycopg.AsyncConnection.connect(url, autocommit=True, prepare_threshold=0)
    await register_vector_async(connection)
    return connection


async def _alternating(*calls: Callable[[], Awaitable[None]]) -> list[list[float]]:
    """Milliseconds of each call, in turns, so that all see the same machine."""
    times: list[list[float]] = [[] for _ in calls]
    for turn in range(ROUNDS + 10):
        for call, spent in zip(calls, times, strict=True):
            began = time.perf_counter()
            await call()
            if turn >= 10:  # plans are made and pages are in memory
                spent.append((time.perf_counter() - began) * 1000)
    return times


async def _server_cpu_s(connection: Connection) -> float:
    """CPU seconds of all of this database's client processes so far."""
    found = await connection.execute(
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
    )
    return sum(_cpu_s(pid) for (pid,) in await found.fetchall())


def _cpu_s(pid: int) -> float:
    """User and system time of a process; 0 for one that has ended."""
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system
