"""The caches together: each may fail on its own, and each lookup is told to the listener."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rag_core.cache.answers import AnswerCache, CachedAnswer
from rag_core.cache.contexts import ContextCache
from rag_core.cache.embeddings import EmbeddingCache
from rag_core.cache.epochs import Epoch, EpochSource
from rag_core.cache.policy import Decision, decide
from rag_core.cache.single_flight import FleetFlight, SingleFlight
from rag_core.cache.stats import CacheSize, CacheStats, LevelStats
from rag_core.clock import Clock
from rag_core.domain.answer import Answer
from rag_core.domain.context import Context
from rag_core.domain.user import UserId
from rag_core.errors import CacheUnavailable, ConfigurationError
from rag_core.events import CacheLookedUp, Listener

if TYPE_CHECKING:
    from rag_core.domain.ranking import Vector


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
class Lookup:
    """What a request found in the answer cache, and the user's epoch as read beside it."""

    key: str
    cached: CachedAnswer | None
    epoch: Epoch | None


class Caches:
    """Answer, embedding and context cache, and single-flight, as the pipeline uses them."""

    def __init__(
        self,
        *,
        answers: AnswerCache,
        embeddings: EmbeddingCache,
        contexts: ContextCache,
        fleet: FleetFlight,
        epochs: EpochSource,
        ttl: AnswerTtl,
        clock: Clock,
        listener: Listener,
        jitter: random.Random,
    ) -> None:
        self._answers = answers
        self._embeddings = embeddings
        self._contexts = contexts
        self._epochs = epochs
        self._ttl = ttl
        self._clock = clock
        self._listener = listener
        self._jitter = jitter
        self._stats = CacheStats()
        self.local = SingleFlight()
        self.fleet = fleet

    async def lookup(self, user: UserId, key: str) -> Lookup:
        """The stored answer and the user's epoch, read side by side.

        Raises:
            DatabaseUnavailable: the epoch cannot be read: nothing can be vouched for.
        """
        reading = self._epochs.epoch(user)
        try:
            cached = await self._get(key)
            return Lookup(key, cached, await reading)
        finally:
            reading.cancel()

    def decide(self, lookup: Lookup, evidence: str | None = None) -> Decision:
        """What may be done with what was found, by `rag_core.cache.policy`."""
        return decide(lookup.cached, epoch=lookup.epoch, evidence=evidence, now=self._clock.now())

    async def put(self, lookup: Lookup, answer: Answer, took_ms: float) -> None:
        """Store a new answer under the epoch that was read before its evidence was retrieved."""
        if lookup.epoch is None:
            return
        now = self._clock.now()
        cached = CachedAnswer(
            answer,
            lookup.epoch,
            soft_expires_at=now + self._jittered(self._ttl.soft_s),
            hard_expires_at=now + self._jittered(self._ttl.hard_s),
            took_ms=took_ms,
        )
        await self._put(lookup.key, cached)

    async def confirm(self, lookup: Lookup) -> None:
        """Note that the evidence of what was found stands at the epoch that was read."""
        if lookup.cached and lookup.epoch is not None:
            await self._put(lookup.key, replace(lookup.cached, epoch=lookup.epoch))

    async def get_vector(self, key: str) -> Vector | None:
        """The stored vector of a question."""
        try:
            vector = await self._embeddings.get(key)
        except CacheUnavailable:
            self.emit(CacheLookedUp("embedding", "unavailable"))
            return None
        self.emit(CacheLookedUp("embedding", "miss" if vector is None else "hit"))
        return vector

    async def put_vector(self, key: str, vector: Vector) -> None:
        """Store the vector of a question."""
        with suppress(CacheUnavailable):
            await self._embeddings.put(key, vector)

    def get_context(self, key: str) -> Context | None:
        """The stored context of a question at one epoch."""
        self._contexts.expire()
        context: Context | None = self._contexts.get(key)
        self.emit(CacheLookedUp("context", "miss" if context is None else "hit"))
        return context

    def put_context(self, key: str, context: Context) -> None:
        """Store the context of a question at one epoch."""
        self._contexts.put(key, context)

    def emit(self, event: CacheLookedUp) -> None:
        """Count a lookup and pass it on."""
        self._stats(event)
        self._listener(event)

    async def stats(self) -> dict[str, LevelStats]:
        """Counters of this process and sizes of the whole cache, by level."""
        sizes = {
            "answer": await self._size(self._answers),
            "embedding": await self._size(self._embeddings),
            "context": self._contexts.size(),
        }
        return {
            level: replace(stats, entries=sizes[level].entries, size_bytes=sizes[level].size_bytes)
            for level, stats in self._stats.snapshot().items()
        }

    async def _get(self, key: str) -> CachedAnswer | None:
        try:
            return await self._answers.get(key)
        except CacheUnavailable:
            self.emit(CacheLookedUp("answer", "unavailable"))
            return None

    async def _put(self, key: str, cached: CachedAnswer) -> None:
        with suppress(CacheUnavailable):
            await self._answers.put(key, cached)

    async def _size(self, cache: AnswerCache | EmbeddingCache) -> CacheSize:
        try:
            return await cache.size()
        except CacheUnavailable:
            return CacheSize(None, None)

    def _jittered(self, seconds: float) -> float:
        return seconds * (1 + self._ttl.jitter * (2 * self._jitter.random() - 1))
