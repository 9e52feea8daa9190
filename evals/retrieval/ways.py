"""The same queries through pipelines that differ in settings, in turns."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Hashable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from evals.datasets.golden import GoldenQuestion, GoldenSet
from evals.measures.kept_vectors import kept_vectors
from evals.measures.retrieval import RetrievalScores, ranked_passages, score_golden
from rag_core.bootstrap import Application, assemble
from rag_core.cli import progress_bar
from rag_core.domain import Embedder, Hit, SearchMethod
from rag_core.pipeline import Pipeline
from rag_core.settings import Settings

K = 20
"""Chunks searched for: enough for nDCG@10 where several chunks belong to one passage."""

Found = Mapping[str, Sequence[Hit]]
"""Query id -> hits, best first."""

W = TypeVar("W", bound=Hashable)


@dataclass(frozen=True)
class Searched(Generic[W]):
    """What each way of searching found for each query, and milliseconds of the way to a context."""

    found: Mapping[W, Found]
    ms: Mapping[W, Mapping[str, float]]


async def search_by(
    application: Application,
    settings: Settings,
    ways: Mapping[W, Mapping[str, Any]],
    queries: Mapping[str, tuple[str, str]],
    name: str,
) -> Searched[W]:
    """Every query in each way in turn: whatever else the machine does meets all ways alike.

    Args:
        ways: settings of each that differ from `settings`; all of them scan, for `K` hits.
        queries: text and user by the query's id.
        name: of the queries, for the progress bar.
    """
    found: dict[W, dict[str, Sequence[Hit]]] = {way: {} for way in ways}
    ms: dict[W, dict[str, float]] = {way: {} for way in ways}
    async with AsyncExitStack() as stack:
        embedder = stack.enter_context(
            kept_vectors(application.embedder, settings.home / "vectors")
        )
        await embedder.embed([text for text, _ in queries.values()])
        pipelines = {
            way: await stack.enter_async_context(_pipeline(settings, changes, embedder))
            for way, changes in ways.items()
        }
        bar = stack.enter_context(progress_bar(len(queries), f"search {name}", "question"))
        for query, (text, user) in queries.items():
            for way, pipeline in pipelines.items():
                began = time.perf_counter()
                retrieved = await pipeline.retrieve(text, user)
                ms[way][query] = (time.perf_counter() - began) * 1000
                found[way][query] = retrieved.ranking.hits
            bar.update()
    return Searched(found, ms)


@asynccontextmanager
async def _pipeline(
    settings: Settings, changes: Mapping[str, Any], embedder: Embedder
) -> AsyncIterator[Pipeline]:
    """The pipeline of the settings, but for the changes, so many hits, and an exact scan."""
    alike = {"search_method": SearchMethod.EXACT, "top_k": K}
    changed = settings.model_copy(update={**alike, **changes})
    async with assemble(changed, embedder=embedder) as application:
        yield application.pipeline


def score_questions(
    golden: GoldenSet, asked: Sequence[GoldenQuestion], hits: Found, seed: int
) -> RetrievalScores:
    """The questions `asked`, judged by the passages of their users."""
    ranked = {
        each.id: ranked_passages(
            hits[each.id], [p for p in golden.passages.values() if p.user == each.user]
        )
        for each in asked
    }
    return score_golden(asked, ranked, seed=seed)
