"""Asking the golden questions of the pipeline as it is deployed, and measuring what it says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from evals.datasets.corpus import Ingested, held_open, ingest_golden
from evals.datasets.golden import GoldenQuestion, GoldenSet, load
from evals.measures.answer_measures import Instruments
from evals.measures.judge_settings import open_judge
from evals.measures.observations import Observation, refused
from evals.measures.summary import Summary, summarise
from evals.measures.vectors import Vectors
from evals.progress import progress_bar
from evals.project import GOLDEN, project_settings
from rag_core.bootstrap.application import Application, assemble
from rag_core.errors import ProviderError, RagError, Unavailable

WARM_UP = "What do my notes say about patience?"
"""Asked once of retrieval alone, untimed: no answer is cached by it."""


@dataclass(frozen=True)
class QualityRun:
    """What was asked, what came back, and every measure of it."""

    golden: GoldenSet
    observations: Sequence[Observation]
    summary: Summary
    vectors: Vectors
    ingested: Ingested
    min_score: float
    generator: str
    pipeline_digest: str
    judge: str
    seconds: float


async def measure(*, seed: int = 0, max_usd: float = 1.0) -> QualityRun:
    """Ask every golden question of its user, the answer cache cold, and take every measure.

    With RAG_JUDGE_BASE_URL and RAG_JUDGE_MODEL set, an LLM judges too, for `max_usd` at most.

    Raises:
        Unavailable: the database cannot be reached. A provider that fails is a row instead.
    """
    began = time.perf_counter()
    settings = project_settings()
    golden = await asyncio.to_thread(load, GOLDEN)
    async with held_open(settings) as ready, assemble(ready) as application:
        ingested = await ingest_golden(application, golden)
        observations = await ask_all(application, golden.questions)
        vectors = Vectors(application.embedder)
        async with open_judge(settings.home / "judge", max_usd) as judge:
            instruments = Instruments(golden, vectors, judge)
            with progress_bar(len(observations), "measure answers", "answer") as bar:
                summary = await summarise(observations, instruments, seed=seed, progress=bar.update)
    return QualityRun(
        golden=golden,
        observations=observations,
        summary=summary,
        vectors=vectors,
        ingested=ingested,
        min_score=settings.min_score,
        generator=generators_of(observations),
        pipeline_digest=application.pipeline.digest,
        judge=judge.model if judge else "none",
        seconds=time.perf_counter() - began,
    )


async def ask_all(
    application: Application, questions: Sequence[GoldenQuestion]
) -> list[Observation]:
    """An observation of each question, asked one after the other."""
    if questions:
        await application.pipeline.retrieve(WARM_UP, questions[0].user)
    observations = []
    with progress_bar(len(questions), "ask", "question") as bar:
        for question in questions:
            observations.append(await _ask(application, question))
            bar.update()
    return observations


async def _ask(application: Application, question: GoldenQuestion) -> Observation:
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        answer = await application.pipeline.answer(question.question, question.user)
    except (ProviderError, Unavailable) as error:
        return _failed(question, error)
    latency_ms = (time.perf_counter() - wall) * 1000
    cpu_ms = (time.process_time() - cpu) * 1000
    # A refused question was never searched for. Asked again, after the clock has stopped.
    searched = not refused(answer)
    ranking = (
        await application.pipeline.retrieve(question.question, question.user) if searched else None
    )
    return Observation(question, answer, ranking, latency_ms=latency_ms, cpu_ms=cpu_ms)


def _failed(question: GoldenQuestion, error: RagError) -> Observation:
    return Observation(question, None, error=f"{type(error).__name__}: {error}")


def generators_of(observations: Sequence[Observation]) -> str:
    """Generators and models that wrote the answers, as they name themselves."""
    names = {
        f"{seen.answer.generator} ({seen.answer.model})"
        for seen in observations
        if seen.answer and seen.answer.generator
    }
    return ", ".join(sorted(names)) or "none"
