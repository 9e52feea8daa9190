"""Where requests are counted: what is asked of it, and one in the memory of a process."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Protocol

from cachebox import LRUCache

from rag_core.clock import Clock
from rag_core.domain.user import UserId
from rag_core.throttle.rates import Count, RateLimit, Standing

MAX_WINDOWS = 30_000
"""Windows that a process remembers; of more, those that were used least recently are forgotten."""


class RateStore(Protocol):
    """Counts, for a window, exactly the requests that were let in within the last so many seconds.

    A window is known by whose it is and by its length: a limit that is lowered counts what was let
    in before.
    """

    async def take(self, user: UserId, limits: Sequence[RateLimit]) -> Count:
        """Count one request against all of the limits, or, where one has no room, against none.

        Raises:
            CacheUnavailable: the store did not answer in time; it may have counted.
        """
        ...

    async def look(self, user: UserId, limits: Sequence[RateLimit]) -> tuple[Standing, ...]:
        """Where the limits stand; nothing is counted.

        Raises:
            CacheUnavailable: the store did not answer in time.
        """
        ...


class MemoryRateStore:
    """RateStore of this process alone."""

    def __init__(self, clock: Clock, max_windows: int = MAX_WINDOWS) -> None:
        self._clock = clock
        self._windows: LRUCache[tuple[str, str], list[float]] = LRUCache(max_windows)

    async def take(self, user: UserId, limits: Sequence[RateLimit]) -> Count:
        """See `RateStore`."""
        before = await self.look(user, limits)
        if not all(standing.remaining for standing in before):
            return Count(False, before)
        for limit in limits:
            self._let_in(user, limit).append(self._clock.monotonic())
        return Count(True, await self.look(user, limits))

    async def look(self, user: UserId, limits: Sequence[RateLimit]) -> tuple[Standing, ...]:
        """See `RateStore`."""
        return tuple(self._standing(self._let_in(user, limit), limit) for limit in limits)

    def _let_in(self, user: UserId, limit: RateLimit) -> list[float]:
        """When requests were let in, the first first."""
        key = (user if limit.scope == "user" else "", limit.window)
        return self._windows.setdefault_with(key, list)

    def _standing(self, times: list[float], limit: RateLimit) -> Standing:
        now = self._clock.monotonic()
        del times[: bisect_left(times, now - limit.seconds)]
        latest = times[-limit.amount :]
        return Standing(limit, len(latest), latest[0] + limit.seconds - now if latest else 0.0)
