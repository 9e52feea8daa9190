"""Calibration: a test collection through our own ingest and search, beside known figures."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

from evals.datasets.beir import Collection, read_collection
from evals.datasets.corpus import collection_notes, collection_user, held_open
from evals.measures.retrieval import score_runs
from evals.measures.scores import Aggregate
from evals.retrieval.search_runs import SearchRun, embed_queries, open_retriever, search_all
from rag_core.bootstrap import Application, Overrides, assemble
from rag_core.cli import progress_bar
from rag_core.domain import (
    Chunker,
    Embedder,
    Note,
    SearchMethod,
    SearchMode,
    SentenceChunker,
    UserId,
    WholeNoteChunker,
)
from rag_core.settings import Settings

DEPTH = 100
"""Documents ranked per query, as BEIR's figures are made."""
CHUNK_DEPTH = 300
"""Chunks searched where a document has several, so that about `DEPTH` documents remain."""
SLICE_NOTES = 1024
"""Notes ingested between two measurements of the bare embedder."""
BARE_EVERY = 3
"""One slice of so many is embedded a second time, bare."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What exact search with all-MiniLM-L6-v2 gets on a collection."""

    ndcg_at_10: float
    recall_at_5: float
    source: str


REFERENCES: Mapping[str, Reference] = {
    "scifact": Reference(0.645, 0.738, "published nDCG@10 0.645"),
    "henry-headings": Reference(0.316, 0.380, "measured with sentence-transformers"),
    "henry-topics": Reference(0.281, 0.228, "measured with sentence-transformers"),
}


@dataclass(frozen=True, slots=True)
class Throughput:
    """Texts a second of our ingest, and of the embedder alone on some of the same texts."""

    ingest_texts: int
    ingest_per_s: float
    bare_per_s: float

    @property
    def ratio(self) -> float:
        """Ingest over bare: what chunking, hashing and writing leave of the embedder's pace."""
        return self.ingest_per_s / self.bare_per_s


@dataclass(frozen=True)
class Calibration:
    """One collection, one way to cut it, one search method."""

    collection: str
    documents: int
    queries: int
    chunking: str
    system: SearchMethod
    mode: SearchMode
    index: str
    measures: Mapping[str, Aggregate]
    latency_p50_ms: float
    plan: str
    throughput: Throughput | None
    """None when the store had the documents already."""


@dataclass(frozen=True, slots=True)
class _Pace:
    """Seconds spent on some texts."""

    texts: int = 0
    seconds: float = 0.0

    def __add__(self, other: _Pace) -> _Pace:
        return _Pace(self.texts + other.texts, self.seconds + other.seconds)


async def calibrate(
    folder: Path,
    systems: Sequence[SearchMethod],
    settings: Settings,
    *,
    chunked: bool = False,
    **overrides: Unpack[Overrides],
) -> list[Calibration]:
    """Score the collection in `folder` with each of `systems`; as sentence chunks too if asked.

    What is found by each is decided by the mode in `settings`.

    Raises:
        InvalidInput: the folder is no collection.
        Unavailable: a server cannot be reached.
    """
    collection = await asyncio.to_thread(read_collection, folder)
    calibrations: list[Calibration] = []
    async with held_open(settings) as ready, assemble(ready, **overrides) as application:
        for chunker in _chunkers(application, ready, chunked):
            calibrations += await _calibrate(
                collection, systems, chunker, application.embedder, ready
            )
    return calibrations


async def _calibrate(
    collection: Collection,
    systems: Sequence[SearchMethod],
    chunker: Chunker,
    embedder: Embedder,
    settings: Settings,
) -> list[Calibration]:
    user = collection_user(collection, chunker, embedder)
    async with assemble(settings, embedder=embedder, chunker=chunker) as application:
        throughput = await _ingest(application, collection, user, chunker)
    queries = await embed_queries(embedder, collection.queries)
    k = DEPTH if isinstance(chunker, WholeNoteChunker) else CHUNK_DEPTH
    calibrations = []
    for system in systems:
        async with open_retriever(settings, embedder, system, k=k) as retriever:
            run = await search_all(retriever, system, dict.fromkeys(queries, user), queries, k=k)
        calibrations.append(_scored(collection, chunker, run, settings.search_mode, throughput))
    return calibrations


def _scored(
    collection: Collection,
    chunker: Chunker,
    run: SearchRun,
    mode: SearchMode,
    throughput: Throughput | None,
) -> Calibration:
    latencies = sorted(run.latency_ms.values())
    return Calibration(
        collection=collection.name,
        documents=len(collection.docs),
        queries=len(collection.queries),
        chunking=chunker.name,
        system=run.method,
        mode=mode,
        index=run.index,
        measures=score_runs(collection.qrels, run.documents()).aggregates,
        latency_p50_ms=latencies[len(latencies) // 2],
        plan=run.plan_text,
        throughput=throughput,
    )


async def _ingest(
    application: Application, collection: Collection, user: UserId, chunker: Chunker
) -> Throughput | None:
    """Ingest in slices; now and then embed a slice's texts bare, so that both see one machine."""
    notes = collection_notes(collection)
    ingest, bare = _Pace(), _Pace()
    with progress_bar(len(notes), f"ingest {collection.name}", "document") as bar:
        for number, start in enumerate(range(0, len(notes), SLICE_NOTES)):
            some = notes[start : start + SLICE_NOTES]
            began = time.perf_counter()
            report = await application.ingest.run(user, some, progress=bar.update)
            if report.notes_written < len(some):
                continue  # stored before, or a crash's remainder: no pace to measure
            ingest += _Pace(report.chunks_embedded, time.perf_counter() - began)
            if number % BARE_EVERY == 0:
                bare += await _embed_bare(application.embedder, some, chunker)
    if not bare.texts:
        return None
    return Throughput(ingest.texts, ingest.texts / ingest.seconds, bare.texts / bare.seconds)


async def _embed_bare(embedder: Embedder, notes: Sequence[Note], chunker: Chunker) -> _Pace:
    texts = [chunk.embedded_text for note in notes for chunk in chunker(note)]
    began = time.perf_counter()
    await embedder.embed(texts)
    return _Pace(len(texts), time.perf_counter() - began)


def _chunkers(application: Application, settings: Settings, chunked: bool) -> list[Chunker]:
    whole: list[Chunker] = [WholeNoteChunker()]
    if not chunked:
        return whole
    tokens, overlap = settings.chunk_tokens, settings.chunk_overlap_tokens
    chunker = SentenceChunker(application.tokenizer, tokens, overlap, application.embedder)
    return [*whole, chunker]
