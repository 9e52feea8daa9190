"""Telemetry as frozen events: the core says what happened, listeners decide what to do with it.

No event carries a user id or the text of a question.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

from rag_core.domain.answer import Provenance
from rag_core.domain.cost import Usage

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""Id of the request within which an event is emitted; empty outside of any request."""

Level = Literal["answer", "embedding", "context"]
LookupOutcome = Literal["hit", "miss", "revalidated", "stale", "unavailable"]


@dataclass(frozen=True, slots=True)
class Answered:
    """A question got its answer."""

    provenance: Provenance
    generator: str
    model: str
    usage: Usage
    cost_usd: float
    total_ms: float


@dataclass(frozen=True, slots=True)
class StepFinished:
    """A step of the pipeline ended after `elapsed_ms`."""

    step: str
    elapsed_ms: float


@dataclass(frozen=True, slots=True)
class AttackRefused:
    """A question matched the named injection pattern."""

    pattern: str


@dataclass(frozen=True, slots=True)
class LeakBlocked:
    """A completion held system text and was replaced by a refusal."""

    generator: str
    model: str


@dataclass(frozen=True, slots=True)
class SearchFellShort:
    """An index search found fewer chunks than it could have: the number of `found` and `missed`."""

    found: int
    missed: int


@dataclass(frozen=True, slots=True)
class CacheLookedUp:
    """A cache level was looked into; what its answer saved, in milliseconds and US dollars."""

    level: Level
    outcome: LookupOutcome
    saved_ms: float = 0.0
    """Milliseconds that making the answer took the first time."""
    saved_usd: float = 0.0


Event = Answered | StepFinished | AttackRefused | LeakBlocked | SearchFellShort | CacheLookedUp
Listener = Callable[[Event], None]


def ignore(event: Event) -> None:
    """A listener that keeps nothing."""
