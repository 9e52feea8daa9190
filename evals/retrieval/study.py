"""Searching test collections and the golden notes: exact search as oracle beside HNSW."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from evals.datasets.beir import Collection, read_collection
from evals.datasets.corpus import (
    Ingested,
    collection_user,
    held_open,
    ingest_collection,
    ingest_golden,
)
from evals.datasets.golden import GoldenSet
from evals.datasets.golden_checks import load_checked
from evals.datasets.golden_hashes import query_hashes, question_hashes
from evals.measures.kept_vectors import kept_vectors
from evals.measures.retrieval import RetrievalScores, ranked_passages, score_golden, score_runs
from evals.measures.scores import Aggregate, Score, Scored, Unscored, aggregate
from evals.project import GOLDEN, project_settings
from evals.retrieval.deployed import DeployedRun, search_deployed
from evals.retrieval.modes import ModesRun, collection_modes, golden_modes
from evals.retrieval.search_runs import SearchRun, embed_queries, open_retriever, search_all
from evals.retrieval.ways import K
from rag_core.bootstrap import Application, assemble
from rag_core.domain import SearchMethod, UserId, WholeNoteChunker, authenticated
from rag_core.errors import InvalidInput
from rag_core.settings import Settings

PROFILES = ("smoke", "full")
"""Embedding a collection takes a minute: the first does with the questions."""
OVERLAPS = (5, 10)


@dataclass(frozen=True)
class CollectionRun:
    """One set of judged queries, searched by each method."""

    name: str
    about: str
    documents: int
    runs: Mapping[SearchMethod, SearchRun]
    scores: Mapping[SearchMethod, RetrievalScores]
    seed: int
    hashes: Mapping[str, str]
    """Of each query, what two runs must share to have asked it alike."""

    @property
    def queries(self) -> int:
        """Number of queries that were searched."""
        return len(self.runs[SearchMethod.EXACT].hits)

    @cached_property
    def overlap(self) -> Mapping[int, Aggregate]:
        """Recall of HNSW against exact search: share of the exact first k that HNSW has, too."""
        return {
            k: aggregate(f"overlap@{k}", self._overlaps(k), seed=self.seed, proportion=True)
            for k in OVERLAPS
        }

    def latency(self, method: SearchMethod) -> tuple[Aggregate, Aggregate]:
        """Median and 95th percentile of a search, in milliseconds."""
        values = [Scored(ms) for ms in self.runs[method].latency_ms.values()]
        p50 = aggregate("latency_ms_p50", values, seed=self.seed, statistic="p50")
        return p50, aggregate("latency_ms_p95", values, seed=self.seed, statistic="p95")

    def _overlaps(self, k: int) -> list[Score]:
        exact, hnsw = self.runs[SearchMethod.EXACT].hits, self.runs[SearchMethod.HNSW].hits
        scores: list[Score] = []
        for query, hits in exact.items():
            wanted = {hit.chunk_id for hit in hits[:k]}
            got = {hit.chunk_id for hit in hnsw[query][:k]}
            scores.append(
                Scored(len(wanted & got) / len(wanted)) if wanted else Unscored("nothing scores")
            )
        return scores


@dataclass(frozen=True)
class RetrievalRun:
    """The golden questions as deployed, and every collection searched by each method and mode."""

    deployed: DeployedRun
    collections: Sequence[CollectionRun]
    modes: Sequence[ModesRun]
    embedder: str
    ingested: Ingested
    ef_search: int
    seconds: float


async def study(
    golden_dir: Path = GOLDEN, *, profile: str = "full", seed: int = 0, by_mode: bool = True
) -> RetrievalRun:
    """Search the collections of a golden folder, and for the passages of its questions.

    Collections are searched in every mode where that is asked for, `by_mode`; questions always.

    Raises:
        InvalidInput: there is no such profile, the folder cannot be read, or no question has gold.
        ConfigurationError: the index of a search method is not there, or was not used.
        Unavailable: the database cannot be reached.
    """
    if profile not in PROFILES:
        raise InvalidInput("profile", f"must be one of {', '.join(PROFILES)}, got {profile!r}")
    began = time.perf_counter()
    golden = await asyncio.to_thread(load_checked, golden_dir)
    if not any(question.answerable for question in golden.questions):
        raise InvalidInput(str(golden_dir), "no question has gold", "Search is judged by gold")
    async with held_open(project_settings()) as settings, assemble(settings) as application:
        ingested = [await ingest_golden(application, golden)]
        collections, modes = [], []
        for folder in collection_folders(profile, golden_dir):
            collection = await asyncio.to_thread(read_collection, folder)
            ingested.append(await store_collection(application, settings, collection))
            collections.append(await _search_collection(application, settings, collection, seed))
            if by_mode:
                modes.append(await collection_modes(application, settings, collection, seed=seed))
        deployed = await search_deployed(application, settings, golden, seed=seed)
        collections.append(await _search_golden(application, settings, golden, seed))
        modes += await golden_modes(application, settings, golden, seed=seed)
        digest = application.embedder.digest
    ef_search, seconds = max(settings.ef_search, K), time.perf_counter() - began
    stored = Ingested.total(ingested)
    return RetrievalRun(deployed, collections, modes, digest, stored, ef_search, seconds)


def collection_folders(profile: str, golden_dir: Path = GOLDEN) -> list[Path]:
    """Where the collections of a profile lie."""
    return sorted((golden_dir / "beir").glob("*/")) if profile == "full" else []


async def store_collection(
    application: Application, settings: Settings, collection: Collection
) -> Ingested:
    """Ingest a collection, a document as one chunk, which is embedded once for all stores."""
    chunker = WholeNoteChunker()
    with kept_vectors(application.embedder, settings.home / "vectors") as embedder:
        async with assemble(settings, embedder=embedder, chunker=chunker) as whole:
            return await ingest_collection(whole, collection, chunker)


async def _search_collection(
    application: Application, settings: Settings, collection: Collection, seed: int
) -> CollectionRun:
    user = collection_user(collection, WholeNoteChunker(), application.embedder)
    users = dict.fromkeys(collection.queries, user)
    runs = await _both(application, settings, collection.queries, users)
    ranked = {method: run.documents() for method, run in runs.items()}
    return CollectionRun(
        name=collection.name,
        about="a document is one chunk",
        documents=len(collection.docs),
        runs=runs,
        scores={m: score_runs(collection.qrels, r, seed=seed) for m, r in ranked.items()},
        seed=seed,
        hashes=query_hashes(collection),
    )


async def _search_golden(
    application: Application, settings: Settings, golden: GoldenSet, seed: int
) -> CollectionRun:
    asked = [question for question in golden.questions if question.answerable]
    owner = {question.id: question.user for question in asked}
    users = {question.id: authenticated(question.user) for question in asked}
    runs = await _both(application, settings, {q.id: q.question for q in asked}, users)
    scores = {}
    for method, run in runs.items():
        ranked = {
            query: ranked_passages(
                hits, [p for p in golden.passages.values() if p.user == owner[query]]
            )
            for query, hits in run.hits.items()
        }
        scores[method] = score_golden(asked, ranked, seed=seed)
    return CollectionRun(
        name="golden questions",
        about="notes in sentence chunks, judged by passage",
        documents=len(golden.passages),
        runs=runs,
        scores=scores,
        seed=seed,
        hashes=question_hashes(golden),
    )


async def _both(
    application: Application,
    settings: Settings,
    queries: Mapping[str, str],
    users: Mapping[str, UserId],
) -> dict[SearchMethod, SearchRun]:
    asked = await embed_queries(application.embedder, queries)
    runs = {}
    for method in SearchMethod:
        async with open_retriever(settings, application.embedder, method, k=K) as retriever:
            runs[method] = await search_all(retriever, method, users, asked, k=K)
    return runs
