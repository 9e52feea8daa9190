"""The caches together: each may fail on its own, and each lookup is told to the listener."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rag_core.cache.answers import AnswerCache, AnswerTtl, CachedAnswer
from rag_core.cache.contexts import ContextCache
from rag_core.cache.embeddings import EmbeddingCache
from rag_core.cache.epochs import Epoch, EpochSource
from rag_core.cache.keys import answer_key, context_key, embedding_key
from rag_core.cache.policy import Decision, decide
from rag_core.cache.single_flight import Flight, SingleFlight, Work
from rag_core.cache.stats import CacheSize, CacheStats, LevelStats
from rag_core.clock import Clock
from rag_core.domain.answer import Answer, Flag, Provenance
from rag_core.domain.context import Context
from rag_core.domain.question import Question
from rag_core.domain.user import UserId
from rag_core.errors import CacheUnavailable
from rag_core.events import CacheLookedUp, Listener, LookupOutcome

if TYPE_CHECKING:
    from rag_core.domain.ranking import Vector


@dataclass(frozen=True, slots=True)
class Lookup:
    """What a request found in the answer cache, and the user's epoch as read beside it."""

    user: UserId
    question: Question
    pipeline: str
    """Digest of the pipeline that was asked."""
    key: str
    """Of the answer; made once, as every request comes by here."""
    cached: CachedAnswer | None = None
    epoch: Epoch | None = None
    """None: the user has no notes."""

    @property
    def context_key(self) -> str:
        """Of the question's context at this epoch; empty where there is none."""
        if self.epoch is None:
            return ""
        return context_key(self.user, self.epoch, self.question, self.pipeline)


class Caches:
    """Answer, embedding and context cache, and single-flight, as the pipeline uses them."""

    def __init__(
        self,
        *,
        answers: AnswerCache,
        embeddings: EmbeddingCache,
        contexts: ContextCache,
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
        self.flights = SingleFlight()
        """What is being made in this process."""

    async def lookup(self, user: UserId, question: Question, pipeline: str) -> Lookup:
        """The stored answer of the pipeline of that digest, and the user's epoch, side by side.

        Raises:
            DatabaseUnavailable: the epoch cannot be read: nothing can be vouched for.
        """
        key = answer_key(user, question, pipeline)
        reading = self._epochs.epoch(user)
        try:
            cached = await self._get(key)
            epoch = await reading
        finally:
            reading.cancel()
        return Lookup(user, question, pipeline, key, cached, epoch)

    def serve(self, lookup: Lookup) -> Answer | None:
        """The answer that was found, CACHED, if it may be served as it is."""
        if self._decide(lookup) is Decision.SERVE:
            return self._served(lookup, Provenance.CACHED)
        return None

    async def revalidate(self, lookup: Lookup, evidence: str) -> Answer | None:
        """The answer that was found, REVALIDATED, if `evidence` is what it rests on."""
        if self._decide(lookup, evidence) is not Decision.REVALIDATE:
            self._emit(CacheLookedUp("answer", "miss"))
            return None
        if lookup.cached and lookup.epoch is not None:
            await self._put(lookup.key, replace(lookup.cached, epoch=lookup.epoch))
        return self._served(lookup, Provenance.REVALIDATED)

    def fall_back(self, lookup: Lookup, evidence: str) -> Answer | None:
        """The answer that was found, STALE, if it is of use where no provider can answer."""
        if self._decide(lookup, evidence) is Decision.FALL_BACK:
            return self._served(lookup, Provenance.STALE)
        return None

    async def put(self, lookup: Lookup, answer: Answer, took_ms: float) -> None:
        """Store a new answer under the epoch that was read before its evidence was retrieved.

        A refusal is not kept, nor what was cut short for want of money, nor anything of a user
        without notes.
        """
        passing = answer.provenance is Provenance.REFUSED or Flag.BUDGET_TIGHT in answer.flags
        if lookup.epoch is None or passing:
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

    def join(self, lookup: Lookup, work: Work) -> Flight:
        """`work`, shared in this process with whoever asks the same at the same epoch."""
        flight, began = self.flights.join(f"{lookup.key}:{lookup.epoch}", work)
        if began and not lookup.cached:
            self._emit(CacheLookedUp("answer", "miss"))
        return flight

    def charge_once(self, flight: Flight, answer: Answer) -> Answer:
        """The answer of `flight`, CACHED and free for all but the first who has it."""
        if flight.claim():
            return answer
        self._emit(CacheLookedUp("answer", "hit", saved_usd=answer.cost_usd))
        return answer.again(Provenance.CACHED)

    async def get_vector(self, user: UserId, question: Question, embedder: str) -> Vector | None:
        """float32[384]: the question's vector by the embedder of that digest, if stored."""
        try:
            vector = await self._embeddings.get(embedding_key(user, question, embedder))
        except CacheUnavailable:
            self._emit(CacheLookedUp("embedding", "unavailable"))
            return None
        self._emit(CacheLookedUp("embedding", "miss" if vector is None else "hit"))
        return vector

    async def put_vector(
        self, user: UserId, question: Question, embedder: str, vector: Vector
    ) -> None:
        """Store the question's vector, float32[384]."""
        with suppress(CacheUnavailable):
            await self._embeddings.put(embedding_key(user, question, embedder), vector)

    def get_context(self, lookup: Lookup) -> Context | None:
        """The context of the question at the epoch that was read, if stored."""
        if not (key := lookup.context_key):
            return None
        self._contexts.expire()
        context: Context | None = self._contexts.get(key)
        self._emit(CacheLookedUp("context", "miss" if context is None else "hit"))
        return context

    def put_context(self, lookup: Lookup, context: Context) -> None:
        """Store the context of the question at the epoch that was read."""
        if key := lookup.context_key:
            self._contexts.put(key, context)

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

    def _emit(self, event: CacheLookedUp) -> None:
        self._stats(event)
        self._listener(event)

    def _decide(self, lookup: Lookup, evidence: str | None = None) -> Decision:
        return decide(lookup.cached, epoch=lookup.epoch, evidence=evidence, now=self._clock.now())

    def _served(self, lookup: Lookup, provenance: Provenance) -> Answer:
        """The stored answer once more, counted for what it saves."""
        cached = lookup.cached
        assert cached is not None, "only what was found can be served"
        outcome = _OUTCOMES[provenance]
        self._emit(CacheLookedUp("answer", outcome, cached.took_ms, cached.answer.cost_usd))
        return cached.answer.again(provenance)

    async def _get(self, key: str) -> CachedAnswer | None:
        try:
            return await self._answers.get(key)
        except CacheUnavailable:
            self._emit(CacheLookedUp("answer", "unavailable"))
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


_OUTCOMES: dict[Provenance, LookupOutcome] = {
    Provenance.CACHED: "hit",
    Provenance.REVALIDATED: "revalidated",
    Provenance.STALE: "stale",
}
