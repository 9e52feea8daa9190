"""Observations: what happened when a golden question was asked."""

from __future__ import annotations

import re
from dataclasses import dataclass

from evals.datasets.golden import GoldenQuestion
from rag_core.domain import NO_CONTEXT_TEXT, Answer, Provenance, Ranking

_MARK = re.compile(r"\s?\[\d{1,3}(?:\s*,\s*\d{1,3})*\]")
_WORDS = re.compile(r"[a-z']+")

DECLINES = ("Your notes do not answer this.", NO_CONTEXT_TEXT)
"""How an answer says that it is none: as the prompt's rules ask, and without context."""


@dataclass(frozen=True, slots=True)
class Observation:
    """A golden question, what the pipeline answered, and what that took.

    `answer` is None when the call failed, and `error` then says how. `ranking` are the hits the
    answer was built from; None when they were not observed (a cached answer, a failed call).
    """

    question: GoldenQuestion
    answer: Answer | None
    ranking: Ranking | None = None
    error: str | None = None
    latency_ms: float | None = None
    cpu_ms: float | None = None

    def __post_init__(self) -> None:
        if (self.answer is None) == (self.error is None):
            raise ValueError(f"{self.question.id}: an observation has an answer or an error")

    @property
    def failure(self) -> str:
        """Why no measure of the answer can be taken."""
        return f"call failed: {self.error}"


def plain_text(text: str) -> str:
    """`text` without its citation marks."""
    return _MARK.sub("", text).strip()


def refused(answer: Answer) -> bool:
    """Whether the pipeline turned the question away."""
    return answer.provenance is Provenance.REFUSED


def declined(answer: Answer) -> bool:
    """Whether the answer gives nothing: NO_CONTEXT, REFUSED, or its whole text says so.

    An answer that says more than the declining sentence does answer.
    """
    if refused(answer) or answer.provenance is Provenance.NO_CONTEXT:
        return True
    return _words(plain_text(answer.text)) in {_words(phrase) for phrase in DECLINES}


def _words(text: str) -> str:
    return " ".join(_WORDS.findall(text.lower()))
