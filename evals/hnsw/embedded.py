"""Rows and questions of a golden folder, embedded once for all runs."""

from __future__ import annotations

import asyncio

from evals.datasets.golden import GoldenSet
from evals.hnsw.corpus import Corpus, corpus
from evals.measures.kept_vectors import kept_vectors
from evals.project import project_settings
from rag_core.adapters.embedders import load_embedder


async def embedded_corpus(
    golden: GoldenSet, rows: int, *, questions: int, seed: int = 0
) -> tuple[Corpus, str]:
    """So many rows, at most so many questions of each split, and the embedder's digest."""
    settings = project_settings()
    embedder = await asyncio.to_thread(
        load_embedder,
        settings.embedder_model,
        backend=settings.embedder_backend,
        cache_dir=settings.home / "models",
    )
    with kept_vectors(embedder, settings.home / "vectors") as kept:
        found = await corpus(golden, kept, rows, questions=questions, seed=seed)
    return found, embedder.digest
