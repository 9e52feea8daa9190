"""Telemetry as frozen events: the core says what happened, listeners decide what to do with it.

No event carries a user id or the text of a question.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from rag_core.domain.answer import Flag, Provenance
from rag_core.domain.cost import Usage

Level = Literal["answer", "embedding", "context"]
BreakerState = Literal["closed", "open", "half-open"]
Variant = Literal["stable", "canary"]
"""Which of two pipelines answered, where some users are answered by other settings."""
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
    flags: tuple[Flag, ...] = ()
    variant: Variant = "stable"


@dataclass(frozen=True, slots=True)
class QueryFailed:
    """A question got no answer; `error` is the class of what was raised, or `cancelled`."""

    error: str
    total_ms: float
    variant: Variant = "stable"


@dataclass(frozen=True, slots=True)
class StepFinished:
    """A step of the pipeline ended after `elapsed_ms`."""

    step: str
    elapsed_ms: float
    error: str = ""
    """The class of what was raised, where it failed."""


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


@dataclass(frozen=True, slots=True)
class EpochsRead:
    """Postgres was asked for users' epochs, once for several requests; `users` of them."""

    users: int
    elapsed_ms: float
    outcome: Literal["ok", "unavailable"]


@dataclass(frozen=True, slots=True)
class PoolWaited:
    """A connection was waited for."""

    pool: Literal["read", "write"]
    elapsed_ms: float


@dataclass(frozen=True, slots=True)
class MoneyHeld:
    """Before a paid call a hold was asked for."""

    outcome: Literal["held", "refused", "allowance"]
    """`allowance`: the ledger could not be asked."""
    scope: str = ""
    """Whose budget refused: `user`, `all` or `process`."""


@dataclass(frozen=True, slots=True)
class BudgetUsed:
    """Share of the day's budget of all users that is spent or held, from 0; 1: no call more.

    What is kept back for processes without a ledger is no part of it.
    """

    share: float


@dataclass(frozen=True, slots=True)
class DaySpent:
    """What the day has cost up to now, as the cost book says; the day is UTC's."""

    all_usd: float
    top_user_usd: float
    """What the user whose calls cost most has spent."""
    users_over: int
    """Number of users whose budget is spent but for a hundredth: the next call may not fit."""


@dataclass(frozen=True, slots=True)
class DocumentsWaiting:
    """Documents of all users wait to be read: versions of them, and seconds that the first has."""

    versions: int
    """Number of them."""
    oldest_s: float


@dataclass(frozen=True, slots=True)
class RequestStarted:
    """An HTTP request came in."""

    route: str
    """The route's pattern, never the path: `/notes/{id}`."""


@dataclass(frozen=True, slots=True)
class RequestServed:
    """An HTTP request ended, its last byte sent or its client gone (status 499)."""

    route: str
    method: str
    status: int
    elapsed_ms: float
    error: str = ""
    """The problem's code where it was one."""


@dataclass(frozen=True, slots=True)
class SigningKeysFetched:
    """The keys that tokens are signed with were fetched from the identity provider, or not."""

    outcome: str
    """`ok`, or what went wrong; then the last keys go on for a while."""
    keys: int
    """How many are known now."""
    elapsed_ms: float


@dataclass(frozen=True, slots=True)
class RateLimited:
    """A request was turned away, as its user or all users asked too often."""

    scope: Literal["user", "all"]


@dataclass(frozen=True, slots=True)
class RateLimitsUnknown:
    """A request was let in although nobody could tell how often its user asked before."""


@dataclass(frozen=True, slots=True)
class RequestShed:
    """A question was turned away: at the door, or where no cache had its answer."""

    limit: int
    """How many might be at their first reads at once."""


Event = (
    Answered
    | QueryFailed
    | EpochsRead
    | PoolWaited
    | MoneyHeld
    | BudgetUsed
    | DaySpent
    | DocumentsWaiting
    | RequestStarted
    | RequestServed
    | SigningKeysFetched
    | RateLimited
    | RateLimitsUnknown
    | RequestShed
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


def fan_out(*listeners: Listener) -> Listener:
    """One listener that tells each of `listeners`, in their order."""
    if len(listeners) == 1:
        return listeners[0]

    def tell(event: Event) -> None:
        for listener in listeners:
            listener(event)

    return tell
