"""Asking the golden questions of the pipeline as it is deployed, and measuring what it says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from evals.datasets.corpus import Ingested, held_open, ingest_golden
from evals.datasets.golden import GoldenSet
from evals.datasets.golden_checks import load_checked
from evals.measures.asking import ask_golden, generators_of
from evals.measures.catalogue import Instruments
from evals.measures.judge_settings import open_judge
from evals.measures.kept_vectors import kept_vectors
from evals.measures.measuring_embedder import measuring_embedder
from evals.measures.observations import Observation
from evals.measures.summary import Summary, summarise
from evals.measures.support import SupportChecker, opened_light_checker
from evals.measures.threshold import Threshold
from evals.measures.validity.verifier_settings import open_verifier
from evals.measures.vectors import Vectors
from evals.project import CANARY, GOLDEN, project_settings
from evals.quality.provenance import ProvenanceLatency, latency_by_provenance
from rag_core.bootstrap import assemble
from rag_core.cli import progress_bar
from rag_core.domain import Embedder
from rag_core.settings import Settings


@dataclass(frozen=True)
class QualityRun:
    """What was asked, what came back, and every measure of it."""

    golden: GoldenSet
    observations: Sequence[Observation]
    summary: Summary
    checker: SupportChecker
    ingested: Ingested
    threshold: Threshold
    generator: str
    pipeline_digest: str
    prompt_version: str
    judge: str
    seconds: float
    latencies: Sequence[ProvenanceLatency] = ()


@dataclass(frozen=True, kw_only=True)
class AskedGolden:
    """What was asked and how long it took, not yet measured."""

    golden: GoldenSet
    observations: Sequence[Observation]
    latencies: Sequence[ProvenanceLatency]
    settings: Settings
    ingested: Ingested
    embedder: Embedder
    pipeline_digest: str
    prompt_version: str
    seconds: float


async def study(golden_dir: Path = GOLDEN, *, seed: int = 0, max_usd: float = 1.0) -> QualityRun:
    """Ask every golden question of its user, and take every measure: `ask`, then `measured`."""
    return await measured(await ask(golden_dir, seed=seed), seed=seed, max_usd=max_usd)


async def ask(golden_dir: Path = GOLDEN, *, seed: int = 0) -> AskedGolden:
    """Ask every golden question of its user, the answer cache cold.

    Those answered are asked again of warm caches, for the time alone. All time is measured here.

    Raises:
        InvalidInput: the folder cannot be read.
        Unavailable: the database cannot be reached. A provider that fails is a row instead.
    """
    began = time.perf_counter()
    settings = project_settings()
    golden = await asyncio.to_thread(load_checked, golden_dir)
    async with held_open(settings) as ready, assemble(ready, canary=CANARY) as application:
        ingested = await ingest_golden(application, golden)
        observations = await ask_golden(application, golden)
        latencies = await latency_by_provenance(ready, application, observations, seed=seed)
    return AskedGolden(
        golden=golden,
        observations=observations,
        latencies=latencies,
        settings=settings,
        ingested=ingested,
        embedder=application.embedder,
        pipeline_digest=application.pipeline.digest,
        prompt_version=application.pipeline.prompt_version,
        seconds=time.perf_counter() - began,
    )


async def measured(asked: AskedGolden, *, seed: int = 0, max_usd: float = 1.0) -> QualityRun:
    """Take every measure of what was asked; no time is measured.

    With RAG_JUDGE_BASE_URL and RAG_JUDGE_MODEL set, an LLM judges too, for `max_usd` at most.
    With RAG_VERIFIER_MODEL set, a verifier takes the light check's place.
    """
    began = time.perf_counter()
    settings, observations = asked.settings, asked.observations
    async with (
        open_judge(settings.home / "judge", max_usd) as judge,
        open_verifier() as verifier,
    ):
        measuring = measuring_embedder(asked.embedder, settings)
        with kept_vectors(measuring, settings.home / "vectors") as embedder:
            vectors = Vectors(embedder)
            light = opened_light_checker(vectors, settings)
            with nullcontext(verifier) if verifier else light as checker:
                use = Instruments(asked.golden, vectors, checker, judge)
                with progress_bar(len(observations), "measure answers", "answer") as bar:
                    summary = await summarise(observations, use, seed=seed, progress=bar.update)
    return QualityRun(
        golden=asked.golden,
        observations=observations,
        summary=summary,
        checker=checker,
        ingested=asked.ingested,
        threshold=Threshold.of(settings),
        generator=generators_of(observations),
        pipeline_digest=asked.pipeline_digest,
        prompt_version=asked.prompt_version,
        judge=judge.model if judge else "none",
        seconds=asked.seconds + time.perf_counter() - began,
        latencies=asked.latencies,
    )
