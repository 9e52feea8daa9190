"""Asking the golden questions of the pipeline as it is deployed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import msgspec

from evals.datasets.golden import GoldenQuestion, GoldenSet
from evals.measures.kept_answers import KeptAnswers, kept_answers
from evals.measures.observations import Observation
from rag_core.bootstrap import Application
from rag_core.cli import progress_bar
from rag_core.domain import Provenance
from rag_core.errors import InvalidInput, ProviderError, RagError, Unavailable

WARM_UP = "What do my notes say about patience?"
"""Asked once of retrieval alone, untimed: no answer is cached by it."""


async def ask_golden(application: Application, golden: GoldenSet) -> list[Observation]:
    """An observation of each golden question, asked one after the other.

    Where a question is about another user's notes, that user has asked it before: what could leak
    is in the cache. Within a run that was killed before, what is finished is not asked again.
    """
    with kept_answers(f"golden {application.pipeline.digest}") as kept:
        for question in golden.questions:
            if kept.get(question) is None:
                for owner in sorted({golden.passages[name].user for name in question.foreign_gold}):
                    await _ask(application, msgspec.structs.replace(question, user=owner))
        return await ask_all(application, golden.questions, kept=kept)


async def ask_all(
    application: Application,
    questions: Sequence[GoldenQuestion],
    *,
    evidence: bool = True,
    kept: KeptAnswers | None = None,
) -> list[Observation]:
    """An observation of each question, asked one after the other; with hits and context, or not.

    Questions that are `kept` are not asked again.
    """
    if questions:
        await application.pipeline.retrieve(WARM_UP, questions[0].user)
    observations = []
    with progress_bar(len(questions), "ask", "question") as bar:
        for question in questions:
            seen = kept.get(question) if kept else None
            if seen is None:
                seen = await _ask(application, question)
                seen = await _with_evidence(application, seen) if evidence else seen
                if kept:
                    kept.keep(seen)
            observations.append(seen)
            bar.update()
    return observations


async def _ask(application: Application, question: GoldenQuestion) -> Observation:
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        answer = await application.pipeline.answer(question.question, question.user)
    except (InvalidInput, ProviderError, Unavailable) as error:
        return _failed(question, error)
    if answer.provenance is Provenance.DEGRADED:  # not written by what is measured
        return Observation(question, None, error=f"{answer.provenance}: {answer.notice}")
    latency_ms = (time.perf_counter() - wall) * 1000
    cpu_ms = (time.process_time() - cpu) * 1000
    return Observation(question, answer, latency_ms=latency_ms, cpu_ms=cpu_ms)


async def _with_evidence(application: Application, seen: Observation) -> Observation:
    """With hits and context, looked up after the clock has stopped.

    They are the answer's own: the fingerprint of question, context and pipeline that the answer
    carries proves it. An attack was never searched for, and carries none.
    """
    if seen.answer is None or not seen.answer.evidence:
        return seen
    again = await application.pipeline.retrieve(seen.question.question, seen.question.user)
    if again.evidence != seen.answer.evidence:
        return seen
    return replace(seen, ranking=again.ranking, context=again.context)


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
