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
BreakerState = Literal["closed", "open", "half-open"]
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


@dataclass(frozen=True, slots=True)
class BreakerChanged:
    """The breaker of a dependency went from one state to another."""

    dependency: str
    before: BreakerState
    after: BreakerState


@dataclass(frozen=True, slots=True)
class ProviderCalled:
    """A provider was asked and answered, or failed, after `elapsed_ms`."""

    provider: str
    model: str
    outcome: str
    """`ok`, `cancelled`, or the class of the error."""
    elapsed_ms: float
    hedge: bool = False
    """Whether it was asked because another one was slow."""


@dataclass(frozen=True, slots=True)
class MoneySettled:
    """A paid call was booked."""

    provider: str
    model: str
    cost_usd: float


@dataclass(frozen=True, slots=True)
class AlertRaised:
    """Owners are told something about money."""

    kind: str
    scope: str
    """`user` or `all`."""


@dataclass(frozen=True, slots=True)
class AlertUndelivered:
    """An alert did not reach one of its listeners."""

    listener: str
    reason: str


Event = (
    Answered
    | StepFinished
    | AttackRefused
    | LeakBlocked
    | SearchFellShort
    | CacheLookedUp
    | BreakerChanged
    | ProviderCalled
    | MoneySettled
    | AlertRaised
    | AlertUndelivered
)
Listener = Callable[[Event], None]


def ignore(event: Event) -> None:
    """A listener that keeps nothing."""
