"""What the store holds before the notebooks run: the golden notes, and collections."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from evals.datasets.beir import read_collection
from evals.datasets.corpus import Ingested, ingest_golden
from evals.datasets.golden import GoldenSet
from evals.datasets.golden_checks import load_checked
from evals.measures.kept_vectors import kept_vectors
from evals.retrieval.study import collection_folders, store_collection
from evals.run.profiles import profile_of
from rag_core.bootstrap import Application, assemble
from rag_core.cli import entered
from rag_core.settings import Settings

SEARCHES_COLLECTIONS = "02_retrieval"


@dataclass(frozen=True)
class Store:
    """What the store held before the notebooks ran, and the models that filled it."""

    ingested: Ingested
    dataset: Mapping[str, str]
    models: Mapping[str, str]


async def fill(settings: Settings, golden_dir: Path, profile: str, names: Collection[str]) -> Store:
    """Ingest here, with progress, what the notebooks of these names need; they find it stored.

    Raises:
        InvalidInput: the golden folder has a mistake.
        Unavailable: the database cannot be reached.
    """
    golden = await asyncio.to_thread(load_checked, golden_dir)
    dataset = {"golden": golden.digest, "golden folder": golden_dir.name}
    async with entered(assemble(settings), "loading the model") as application:
        ingested = [await _store_golden(application, settings, golden)]
        if SEARCHES_COLLECTIONS in names:
            searched = profile_of(SEARCHES_COLLECTIONS, profile)
            for folder in collection_folders(searched, golden_dir):
                collection = await asyncio.to_thread(read_collection, folder)
                ingested.append(await store_collection(application, settings, collection))
        models = {
            "embedder": f"{settings.embedder_model}, {settings.embedder_backend}",
            "embedder digest": application.embedder.digest,
            "pipeline digest": application.pipeline.digest,
            "prompt version": application.pipeline.prompt_version,
        }
    return Store(Ingested.total(ingested), dataset, models)


async def _store_golden(
    application: Application, settings: Settings, golden: GoldenSet
) -> Ingested:
    """Ingest the golden notes; a new database takes the vectors that an older one was given."""
    with kept_vectors(application.embedder, settings.home / "vectors") as embedder:
        tokenizer = application.tokenizer
        async with assemble(settings, embedder=embedder, tokenizer=tokenizer) as storing:
            return await ingest_golden(storing, golden)
