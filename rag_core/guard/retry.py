"""Which failures are worth another attempt, and how long to wait before it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import stamina

from rag_core.errors import (
    BudgetExhausted,
    ConfigurationError,
    ProviderOutOfCredit,
    ProviderUnavailable,
)

T = TypeVar("T")

WAIT_INITIAL_S: Final = 0.1
WAIT_JITTER_S: Final = 0.4
WAIT_MAX_S: Final = 1.0

ADVICE_MAX_S: Final = 0.5
"""Seconds of Retry-After that a request waits out; chosen below what a reader notices."""

_FOR_GOOD: Final = (ProviderOutOfCredit, BudgetExhausted)
"""Unavailable still when the next attempt is made."""


class Retry:
    """stamina's exponential backoff with jitter, for as long as the caller has time for it.

    Args:
        retries: the number of attempts beyond the first.

    Raises:
        ConfigurationError: fewer than none.
    """

    def __init__(self, retries: int = 1) -> None:
        if retries < 0:
            raise ConfigurationError("retries", f"must be >= 0, got {retries!r}")
        self._retries = retries
        self._caller = stamina.AsyncRetryingCaller(
            attempts=retries + 1,
            timeout=None,  # the caller's time is the limit, and `_wait` asks for it
            wait_initial=WAIT_INITIAL_S,
            wait_max=WAIT_MAX_S,
            wait_jitter=WAIT_JITTER_S,
        )

    async def call(
        self,
        work: Callable[[], Awaitable[T]],
        *,
        left_s: Callable[[], float],
        allowed: Callable[[], bool],
    ) -> T:
        """What `work` returns, at whichever attempt; raises what the last one raised.

        Args:
            left_s: seconds that the caller still has; no wait outlasts them.
            allowed: whether another attempt may be made now.
        """
        if not self._retries or not allowed():
            return await work()
        failure: Exception | None = None

        async def attempt() -> T:
            nonlocal failure
            if failure is not None and not allowed():  # no longer, after the wait
                raise failure
            try:
                return await work()
            except Exception as error:
                failure = error
                raise

        return await self._caller(lambda error: allowed() and wait_for(error, left_s()), attempt)


def wait_for(error: Exception, left_s: float) -> bool | float:
    """Whether another attempt is worth it after `error`, or the seconds to wait before it.

    True leaves the wait to the backoff, which is at most `WAIT_MAX_S`. Only what a provider may
    get over by itself is worth it, and only when its advice (Retry-After) is to wait no longer than
    `ADVICE_MAX_S`: whoever asks for more is left alone, and others answer sooner.
    """
    if not isinstance(error, ProviderUnavailable) or isinstance(error, _FOR_GOOD):
        return False
    if error.retry_after_s is None:
        return left_s > WAIT_MAX_S
    return error.retry_after_s if error.retry_after_s < min(left_s, ADVICE_MAX_S) else False
