"""Observations: what happened when a golden question was asked."""

from __future__ import annotations

from dataclasses import dataclass

from evals.datasets.golden import GoldenQuestion
from rag_core.domain import Answer, Context, Ranking


@dataclass(frozen=True, slots=True)
class Observation:
    """A golden question, what the pipeline answered, and what that took.

    `answer` is None when the call failed, and `error` then says how. `ranking` are the hits the
    answer was built from, those below the threshold too, and `context` what of them the generator
    saw; None when they were not observed (a refused question, a failed call).
    """

    question: GoldenQuestion
    answer: Answer | None
    ranking: Ranking | None = None
    error: str | None = None
    latency_ms: float | None = None
    cpu_ms: float | None = None
    context: Context | None = None

    def __post_init__(self) -> None:
        if (self.answer is None) == (self.error is None):
            raise ValueError(f"{self.question.id}: an observation has an answer or an error")

    @property
    def failure(self) -> str:
        """Why no measure of the answer can be taken."""
        return f"call failed: {self.error}"
