"""From how many chunks of a user on the graph is faster than a scan, on the machine at hand."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from evals.hnsw.oracle import K, Oracle
from evals.hnsw.prepared import assembled, store_rows
from evals.hnsw.server import own_server
from evals.measures.scores import Aggregate, Scored, aggregate
from rag_core.adapters.postgres import IndexKind, PostgresRetriever, index_vectors
from rag_core.cli import progress_bar
from rag_core.domain import Query, SearchMethod, UserId, authenticated
from rag_core.errors import InvalidInput
from rag_core.migrations import migrate

if TYPE_CHECKING:
    from rag_core.domain import Matrix

WARM_UP = 8
"""Untimed searches by each way: Postgres plans the first five of a statement anew."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One user of so many chunks, searched both ways in turns; milliseconds of each search."""

    chunks: int
    scan_ms: list[float] = field(default_factory=list)
    graph_ms: list[float] = field(default_factory=list)
    recall: Aggregate | None = None
    """Of the graph: a scan finds all."""

    @property
    def times(self) -> float:
        """The median of a scan in medians of the graph."""
        return median(self.scan_ms) / median(self.graph_ms)


@dataclass(frozen=True, slots=True)
class Crossover:
    """Users of growing size."""

    compared: Sequence[Compared]

    @property
    def exact_up_to(self) -> int:
        """Chunks up to which a scan is not slower: RAG_EXACT_UP_TO.

        Between two sizes the line of log(times) over log(chunks) is followed. A scan that is no
        slower at any size is told up to the largest that was tried; one that always is, as 0.
        """
        below: Compared | None = None
        for each in self.compared:
            if each.times > 1:
                return _between(below, each) if below else 0
            below = each
        return below.chunks if below else 0


def _between(below: Compared, above: Compared) -> int:
    low, high = math.log(below.times), math.log(above.times)
    way = -low / (high - low)
    span = math.log(above.chunks / below.chunks)
    return int(below.chunks * math.exp(way * span))


async def measure_crossover(
    vectors: Matrix,
    questions: Matrix,
    sizes: Sequence[int],
    *,
    passes: int,
    m: int,
    ef_construction: int,
    ef_search: int,
) -> Crossover:
    """A user for each of `sizes`, all in one index; asked in turns by one client.

    `vectors` float32[rows, 384] are shared out to the users in order, `questions`
    float32[n, 384] are asked of each. `m` links, `ef_construction` and `ef_search` candidates.

    Raises:
        InvalidInput: too few rows, or sizes that do not grow.
        Unavailable: the server does not start.
    """
    if list(sizes) != sorted(set(sizes)) or not sizes or sizes[0] < K:
        raise InvalidInput("sizes", f"must grow from at least {K} chunks")
    if sum(sizes) > len(vectors):
        raise InvalidInput("sizes", f"need {sum(sizes):,} rows; there are {len(vectors):,}")
    with TemporaryDirectory(prefix="rag-crossover-") as folder:
        async with own_server(Path(folder)) as server:
            url = server.url
            await asyncio.to_thread(migrate, url)
            tenants = _tenants(sizes)
            async with assembled(url, SearchMethod.EXACT, ef_search, vectors) as application:
                for user, rows in tenants.items():
                    await store_rows(application, user, rows)
            await index_vectors(url, IndexKind.HNSW, m=m, ef_construction=ef_construction)
            await server.vacuum()
            async with (
                assembled(url, SearchMethod.EXACT, ef_search, vectors) as scanning,
                assembled(url, SearchMethod.HNSW, ef_search, vectors) as walking,
            ):
                ways = scanning.retriever, walking.retriever
                found = [
                    await _compared(ways, user, rows, vectors, questions, passes)
                    for user, rows in tenants.items()
                ]
    return Crossover(found)


def _tenants(sizes: Sequence[int]) -> dict[UserId, range]:
    """Whose rows which are."""
    ends = [sum(sizes[: place + 1]) for place in range(len(sizes))]
    return {
        authenticated(f"crossover-{size}"): range(end - size, end)
        for size, end in zip(sizes, ends, strict=True)
    }


async def _compared(
    ways: tuple[PostgresRetriever, PostgresRetriever],
    user: UserId,
    rows: range,
    vectors: Matrix,
    questions: Matrix,
    passes: int,
) -> Compared:
    oracle = Oracle.of(vectors[rows.start : rows.stop], questions, first=rows.start)
    found = Compared(len(rows))
    recalls: dict[str, Scored] = {}
    asked = range(-WARM_UP, passes * len(questions))
    with progress_bar(len(asked), f"search {len(rows):,} chunks", "question") as bar:
        for number in asked:
            question = number % len(questions)
            for way, times in zip(ways, (found.scan_ms, found.graph_ms), strict=True):
                began = time.perf_counter()
                ranking = await way.search(user, Query(questions[question]), k=K)
                if number >= 0:
                    times.append(1000 * (time.perf_counter() - began))
            held = [int(hit.note_id[1:]) for hit in ranking.hits]
            recalls[str(question)] = Scored(oracle.recall(question, held))
            bar.update()
    recall = aggregate("recall@5", recalls, proportion=True)
    return Compared(found.chunks, found.scan_ms, found.graph_ms, recall)
