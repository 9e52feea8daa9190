"""Search by vectors, by words and by both, through the pipeline that is deployed."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from statistics import median

from evals.datasets.beir import Collection
from evals.datasets.corpus import collection_user
from evals.datasets.golden import GoldenQuestion, GoldenSet
from evals.measures.kept_vectors import kept_vectors
from evals.measures.retrieval import RetrievalScores, ranked_passages, score_golden, score_runs
from evals.measures.summary import SPLITS
from evals.stats.paired import PairedDifference, paired_difference
from rag_core.bootstrap import Application, assemble
from rag_core.cli import progress_bar
from rag_core.domain import Embedder, Hit, SearchMethod, SearchMode, WholeNoteChunker
from rag_core.pipeline import Pipeline
from rag_core.settings import Settings

K = 20
"""Chunks searched for: enough for nDCG@10 where several chunks belong to one passage."""
COMPARED = ("nDCG@10", "R@5")
"""Measures by which the modes are set beside each other."""

Found = Mapping[str, Sequence[Hit]]
"""Query id -> hits, best first."""


@dataclass(frozen=True)
class ModesRun:
    """The same queries in every mode; milliseconds of each are of the whole way to a context."""

    name: str
    scores: Mapping[SearchMode, RetrievalScores]
    ms: Mapping[SearchMode, Mapping[str, float]]
    clusters: Mapping[str, str] | None
    seed: int

    @property
    def queries(self) -> int:
        """Number of queries that were searched."""
        return len(self.ms[SearchMode.DENSE])

    @cached_property
    def differences(self) -> Mapping[tuple[SearchMode, str], PairedDifference]:
        """Of lexical and hybrid from dense search, by mode and measure."""
        dense = self.scores[SearchMode.DENSE].rows
        return {
            (mode, measure): paired_difference(
                f"{measure}, {mode} minus dense",
                dense[measure],
                self.scores[mode].rows[measure],
                clusters=self.clusters,
                seed=self.seed,
            )
            for mode in self.scores
            if mode is not SearchMode.DENSE
            for measure in COMPARED
        }

    def p50_ms(self, mode: SearchMode) -> float:
        """Median milliseconds."""
        return median(self.ms[mode].values())


async def golden_modes(
    application: Application, settings: Settings, golden: GoldenSet, *, seed: int
) -> list[ModesRun]:
    """The answerable questions of each split; the notes are in the store."""
    asked = [question for question in golden.questions if question.answerable]
    queries = {each.id: (each.question, each.user) for each in asked}
    found, ms = await _in_every_mode(application, settings, queries, "golden questions")
    runs = []
    for split in SPLITS:
        part = [each for each in asked if each.split == split]
        if part:
            scored = {mode: _score_golden(golden, part, hits, seed) for mode, hits in found.items()}
            of_split = {
                mode: {each.id: taken[each.id] for each in part} for mode, taken in ms.items()
            }
            groups = {each.id: each.group for each in part}
            runs.append(ModesRun(f"golden questions, {split}", scored, of_split, groups, seed))
    return runs


def _score_golden(
    golden: GoldenSet, asked: Sequence[GoldenQuestion], found: Found, seed: int
) -> RetrievalScores:
    ranked = {
        each.id: ranked_passages(
            found[each.id], [p for p in golden.passages.values() if p.user == each.user]
        )
        for each in asked
    }
    return score_golden(asked, ranked, seed=seed)


async def collection_modes(
    application: Application, settings: Settings, collection: Collection, *, seed: int
) -> ModesRun:
    """The queries of a collection, whose documents are in the store as one chunk each."""
    user = collection_user(collection, WholeNoteChunker())
    queries = {query: (text, str(user)) for query, text in collection.queries.items()}
    found, ms = await _in_every_mode(application, settings, queries, collection.name)
    scores = {
        mode: score_runs(collection.qrels, _documents(hits), seed=seed)
        for mode, hits in found.items()
    }
    return ModesRun(collection.name, scores, ms, None, seed)


def _documents(found: Found) -> dict[str, list[tuple[str, float]]]:
    return {
        query: [(hit.note_id, -float(place)) for place, hit in enumerate(hits)]
        for query, hits in found.items()
    }


async def _in_every_mode(
    application: Application, settings: Settings, queries: Mapping[str, tuple[str, str]], name: str
) -> tuple[dict[SearchMode, Found], dict[SearchMode, dict[str, float]]]:
    """Every query in each mode in turn: whatever else the machine does meets all modes alike."""
    found: dict[SearchMode, dict[str, Sequence[Hit]]] = {mode: {} for mode in SearchMode}
    ms: dict[SearchMode, dict[str, float]] = {mode: {} for mode in SearchMode}
    async with AsyncExitStack() as stack:
        embedder = stack.enter_context(
            kept_vectors(application.embedder, settings.home / "vectors")
        )
        await embedder.embed([text for text, _ in queries.values()])
        pipelines = {
            mode: await stack.enter_async_context(_in_mode(settings, mode, embedder))
            for mode in SearchMode
        }
        bar = stack.enter_context(
            progress_bar(len(queries), f"search {name} in each mode", "question")
        )
        for query, (text, user) in queries.items():
            for mode, pipeline in pipelines.items():
                began = time.perf_counter()
                retrieved = await pipeline.retrieve(text, user)
                ms[mode][query] = (time.perf_counter() - began) * 1000
                found[mode][query] = retrieved.ranking.hits
            bar.update()
    return dict(found), ms


@asynccontextmanager
async def _in_mode(
    settings: Settings, mode: SearchMode, embedder: Embedder
) -> AsyncIterator[Pipeline]:
    """The pipeline of the settings, but for its mode, so many hits, and an exact scan."""
    changes = {"search_mode": mode, "search_method": SearchMethod.EXACT, "top_k": K}
    async with assemble(settings.model_copy(update=changes), embedder=embedder) as application:
        yield application.pipeline
