"""What the end of a call says of the dependency that was called."""

from __future__ import annotations

from typing import Final, Literal

from rag_core.errors import (
    BudgetExhausted,
    DatabaseUnavailable,
    DeadlineExceeded,
    ProviderError,
    ProviderMisbehaved,
    ProviderTimeout,
    ProviderUnavailable,
)
from rag_core.guard.breaker import Breaker, Ticket

Outcome = Literal["answered", "failed", "nothing"]

TELLING_SHARE = 0.25
"""Of the time a dependency may take: with less of it, the caller was in a hurry. Chosen so that one
of three providers who share a request's time still counts as slow."""

_TIMEOUTS: Final = (ProviderTimeout, DatabaseUnavailable, DeadlineExceeded, TimeoutError)
_FAILURES: Final = (*_TIMEOUTS, ProviderUnavailable, ProviderMisbehaved)


def outcome_of(error: BaseException, *, given_s: float, timeout_s: float) -> Outcome:
    """What `error` says of a dependency that may take `timeout_s`, and was given `given_s`.

    Timeouts, refused connections, 5xx, 429 and malformed answers are its failures. A 4xx, or a
    model that declines, is an answer: the dependency works. Our own limits (money, places), a
    cancellation, and a timeout before `TELLING_SHARE` of its time was over say nothing of it.
    """
    if isinstance(error, BudgetExhausted):
        return "nothing"
    if isinstance(error, _TIMEOUTS) and given_s < timeout_s * TELLING_SHARE:
        return "nothing"
    if isinstance(error, _FAILURES):
        return "failed"
    return "answered" if isinstance(error, ProviderError) else "nothing"


class Through:
    """Leave for the call that the block makes; the breaker is told how it ended, however it does.

    A class, not a generator: every search and every call pays for it.

    Args:
        given_s, timeout_s: as `outcome_of` takes them.

    Raises:
        BreakerOpen: the dependency is left alone for now.
    """

    __slots__ = ("_breaker", "_given_s", "_ticket", "_timeout_s")

    def __init__(self, breaker: Breaker, *, given_s: float, timeout_s: float) -> None:
        self._breaker, self._given_s, self._timeout_s = breaker, given_s, timeout_s

    async def __aenter__(self) -> None:
        self._ticket = await self._breaker.admit()

    async def __aexit__(self, kind: object, error: BaseException | None, at: object) -> None:
        if error is None:
            await self._breaker.succeeded(self._ticket)
        else:
            outcome = outcome_of(error, given_s=self._given_s, timeout_s=self._timeout_s)
            await _tell(self._breaker, self._ticket, outcome)


async def _tell(breaker: Breaker, ticket: Ticket, outcome: Outcome) -> None:
    tell = {"answered": breaker.succeeded, "failed": breaker.failed, "nothing": breaker.abandoned}
    await tell[outcome](ticket)
