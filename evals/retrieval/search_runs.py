"""Search runs: a set of queries asked of one user's notes by one search method."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import SecretStr

from evals.datasets.corpus import held_open
from rag_core.adapters.postgres import (
    HNSW_INDEX,
    IndexKind,
    PlanNode,
    index_vectors,
    never_sorting,
)
from rag_core.bootstrap import assemble
from rag_core.cli import progress_bar
from rag_core.domain import Embedder, Hit, Query, SearchMethod, UserId
from rag_core.errors import ConfigurationError
from rag_core.settings import Settings

if TYPE_CHECKING:
    from rag_core.adapters.postgres import PostgresRetriever

WARM_UP = 10
"""Untimed searches before the timed ones: a prepared statement, pages in memory."""
MAX_EF_SEARCH = 1000
"""pgvector accepts no more; its iterative scan goes on from there."""


@dataclass(frozen=True)
class SearchRun:
    """Hits and latency of each query, and the plan that proves how they were found."""

    method: SearchMethod
    hits: Mapping[str, Sequence[Hit]]
    latency_ms: Mapping[str, float]
    plan: Sequence[PlanNode]

    @property
    def index(self) -> str:
        """What its plan scans to order the vectors."""
        return plan_index(self.plan)

    @property
    def plan_text(self) -> str:
        """A line for each node of the plan, with its rows and milliseconds."""
        return plan_lines(self.plan)

    def documents(self) -> dict[str, list[tuple[str, float]]]:
        """Note ids by query, best first, a note once for each of its chunks; scores are places."""
        return {
            query: [(hit.note_id, -float(place)) for place, hit in enumerate(hits)]
            for query, hits in self.hits.items()
        }


def plan_lines(plan: Sequence[PlanNode]) -> str:
    """A line for each node of a plan, with its rows and milliseconds."""
    return "\n".join(map(str, plan))


def plan_index(plan: Sequence[PlanNode]) -> str:
    """The index that a plan walks to order the vectors, or the scan it makes instead."""
    scans = [node.index or node.kind for node in plan if node.table == "chunk_vectors"]
    return HNSW_INDEX if HNSW_INDEX in scans else next(iter(scans), "nothing")


def check_plan(method: SearchMethod, plan: Sequence[PlanNode]) -> None:
    """Refuse to say that a search was by `method` when the plan is another.

    Raises:
        ConfigurationError: HNSW without its index, or exact search with it.
    """
    index = plan_index(plan)
    if method is SearchMethod.HNSW and index != HNSW_INDEX:
        problem = f"searched by hnsw, but the plan scans {index}, not {HNSW_INDEX}"
        remedy = (
            "Run: python -m rag_core index hnsw; of fewer than some 2,500 chunks in all Postgres "
            "scans all: set RAG_SEARCH_METHOD=exact"
        )
        raise ConfigurationError("search", problem, remedy)
    if method is SearchMethod.EXACT and index in (HNSW_INDEX, "nothing"):
        problem = f"searched exactly, but the plan scans {index}"
        raise ConfigurationError("search", problem, "Run: python -m rag_core index none")


async def embed_queries(embedder: Embedder, texts: Mapping[str, str]) -> dict[str, Query]:
    """What a retriever takes for each query, by query id; one batched call of the embedder."""
    vectors = await embedder.embed(list(texts.values()))
    return {
        query: Query(vector, text)
        for (query, text), vector in zip(texts.items(), vectors, strict=True)
    }


@asynccontextmanager
async def open_retriever(
    settings: Settings, embedder: Embedder, method: SearchMethod, *, k: int
) -> AsyncIterator[PostgresRetriever]:
    """The retriever that is deployed, set to find `k` by `method`, for which the index is built."""
    ef_search = max(settings.ef_search, min(k, MAX_EF_SEARCH))
    changed = settings.model_copy(
        update={"search_method": method, "ef_search": ef_search, "exact_up_to": 0}
    )
    async with (
        held_open(changed) as ready,
        _indexed(ready, method) as indexed,
        assemble(indexed, embedder=embedder) as application,
    ):
        yield application.retriever


@asynccontextmanager
async def _indexed(settings: Settings, method: SearchMethod) -> AsyncIterator[Settings]:
    """With the HNSW index where the method needs it, gone afterwards if it was not there before.

    The settings are those to search with: by the graph, however few chunks there are.
    """
    if method is not SearchMethod.HNSW or settings.database_url is None:
        yield settings
        return
    url = settings.database_url.get_secret_value()
    built = await index_vectors(url, IndexKind.HNSW)
    try:
        yield settings.model_copy(update={"database_url": SecretStr(never_sorting(url))})
    finally:
        if built:
            await index_vectors(url, IndexKind.NONE)


async def search_all(
    retriever: PostgresRetriever,
    method: SearchMethod,
    users: Mapping[str, UserId],
    queries: Mapping[str, Query],
    *,
    k: int,
) -> SearchRun:
    """Ask every query, one after the other: `queries` and `users` are by query id.

    Raises:
        ConfigurationError: the plan is not that of `method`.
    """
    hits: dict[str, Sequence[Hit]] = {}
    latency_ms: dict[str, float] = {}
    for query in list(queries)[:WARM_UP]:
        await retriever.search(users[query], queries[query], k=k)
    with progress_bar(len(queries), f"search {method}", "query") as bar:
        for query in queries:
            began = time.perf_counter()
            ranking = await retriever.search(users[query], queries[query], k=k)
            latency_ms[query] = (time.perf_counter() - began) * 1000
            hits[query] = ranking.hits
            bar.update()
    first = next(iter(queries))
    plan = await retriever.explain(users[first], queries[first], k=k)
    check_plan(method, plan)
    return SearchRun(method, hits, latency_ms, plan)
