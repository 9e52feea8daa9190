"""The answer cache: what is asked of it, and one in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from cachebox import LRUCache

from rag_core.cache.epochs import Epoch
from rag_core.cache.keys import user_key
from rag_core.cache.stats import CacheSize
from rag_core.clock import Clock
from rag_core.domain.answer import Answer
from rag_core.domain.user import UserId
from rag_core.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerTtl:
    """How long an answer is fresh (soft) and how long it exists (hard), in seconds."""

    soft_s: float = 86_400
    hard_s: float = 604_800
    jitter: float = 0.1
    """Share by which each entry's times vary, so that entries made together do not end together."""

    def __post_init__(self) -> None:
        if not 0 < self.soft_s <= self.hard_s:
            raise ConfigurationError(
                "RAG_ANSWER_SOFT_TTL_S",
                f"must be in (0, {self.hard_s}], the hard TTL, got {self.soft_s!r}",
            )
        if not 0 <= self.jitter < 1:
            raise ConfigurationError("RAG_TTL_JITTER", f"must be in [0, 1), got {self.jitter!r}")


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """A stored answer; the fingerprint of its evidence is in the answer itself."""

    answer: Answer
    epoch: Epoch
    """The user's epoch as read before the evidence was retrieved that was last seen to stand."""
    soft_expires_at: float
    """Seconds since the Unix epoch: the end of freshness."""
    hard_expires_at: float
    """Seconds since the Unix epoch: the end of existence."""
    took_ms: float
    """What making the answer took."""


class AnswerCache(Protocol):
    """Answers by key; `rag_core.cache.keys` makes keys. It does not judge what may be served."""

    async def get(self, key: str) -> CachedAnswer | None:
        """What is kept under `key`.

        Raises:
            CacheUnavailable: the cache did not answer in time.
        """
        ...

    async def put(self, key: str, cached: CachedAnswer) -> None:
        """Keep `cached` until its hard TTL ends.

        Raises:
            CacheUnavailable: the cache did not answer in time, or is full.
        """
        ...

    async def forget(self, user: UserId) -> None:
        """Remove every answer of `user`.

        Raises:
            CacheUnavailable: the cache did not answer; some may be left.
        """
        ...

    async def size(self) -> CacheSize:
        """How much it holds, of all users."""
        ...


class NoAnswerCache:
    """AnswerCache that keeps nothing."""

    async def get(self, key: str) -> CachedAnswer | None:
        """See `AnswerCache`."""
        return None

    async def put(self, key: str, cached: CachedAnswer) -> None:
        """See `AnswerCache`."""

    async def forget(self, user: UserId) -> None:
        """See `AnswerCache`."""

    async def size(self) -> CacheSize:
        """See `AnswerCache`."""
        return CacheSize(0, 0)


class MemoryAnswerCache:
    """AnswerCache in this process; the least recently used answers go first."""

    def __init__(self, *, clock: Clock, max_entries: int = 10_000) -> None:
        self._clock = clock
        self._cached: LRUCache[str, CachedAnswer] = LRUCache(max_entries)

    async def get(self, key: str) -> CachedAnswer | None:
        """See `AnswerCache`."""
        cached: CachedAnswer | None = self._cached.get(key)
        if cached and self._clock.now() >= cached.hard_expires_at:
            return None
        return cached

    async def put(self, key: str, cached: CachedAnswer) -> None:
        """See `AnswerCache`."""
        self._cached[key] = cached

    async def forget(self, user: UserId) -> None:
        """See `AnswerCache`."""
        prefix = user_key(user, "answer", "")
        for key in [key for key in self._cached if key.startswith(prefix)]:
            del self._cached[key]

    async def size(self) -> CacheSize:
        """See `AnswerCache`; bytes are not known for objects in memory."""
        return CacheSize(len(self._cached), None)
