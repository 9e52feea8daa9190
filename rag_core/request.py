"""A request on its way through the pipeline."""

from __future__ import annotations

from dataclasses import dataclass

from rag_core.cache.answers import Look
from rag_core.cache.epochs import Epoch
from rag_core.context import Context
from rag_core.guard.allowance import Allowance
from rag_core.question import Question
from rag_core.stopwatch import Stopwatch
from rag_core.user import UserId


@dataclass(frozen=True, slots=True)
class Asked:
    """A valid question that the answer cache could not answer on its own."""

    user: UserId
    question: Question
    key: str
    look: Look
    epoch: Epoch | None
    """The user's epoch when asked, for what is kept in this process only."""
    watch: Stopwatch
    redis: Allowance


@dataclass(frozen=True, slots=True)
class Found:
    """What the user's notes hold for a question."""

    context: Context
    evidence: str
