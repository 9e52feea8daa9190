"""Asking the golden questions of the pipeline as it is deployed."""

from __future__ import annotations

import time
from collections.abc import Sequence

from evals.datasets.golden import GoldenQuestion
from evals.measures.observations import Observation
from rag_core.bootstrap import Application
from rag_core.cli import progress_bar
from rag_core.errors import ProviderError, RagError, Unavailable

WARM_UP = "What do my notes say about patience?"
"""Asked once of retrieval alone, untimed: no answer is cached by it."""


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
    searched = not answer.refused
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
