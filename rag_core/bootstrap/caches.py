"""Wiring of the caches: which stores there are, and how long they keep what."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rag_core import events
from rag_core.cache.answers import AnswerCache, AnswerTtl, MemoryAnswerCache, NoAnswerCache
from rag_core.cache.caches import Caches
from rag_core.cache.contexts import ContextCache
from rag_core.cache.embeddings import EmbeddingCache, MemoryEmbeddingCache, NoEmbeddingCache
from rag_core.cache.epochs import BelievedEpochs, EpochSource, ReadEpochs, SharedEpochs
from rag_core.cache.single_flight import FleetFlight, NoFleet
from rag_core.clock import Clock
from rag_core.settings import Settings

if TYPE_CHECKING:
    from rag_core.adapters.redis.client import RedisClient


@dataclass(frozen=True, slots=True)
class CacheStores:
    """What differs between caches on Redis and caches in this process."""

    answers: AnswerCache
    embeddings: EmbeddingCache
    fleet: FleetFlight
    redis: RedisClient | None = None
    """For what else is shared through it; None without a Redis."""


@asynccontextmanager
async def cache_stores(
    redis_url: str | None,
    settings: Settings,
    clock: Clock,
    listener: events.Listener = events.ignore,
) -> AsyncIterator[CacheStores]:
    """Stores on Redis, which need not be up; without a URL, stores in memory."""
    if redis_url is None:
        yield CacheStores(MemoryAnswerCache(clock=clock), MemoryEmbeddingCache(), NoFleet())
        return
    # Imported where there is one: it takes a fifth of the application's start.
    from rag_core.adapters.redis.answers import RedisAnswerCache
    from rag_core.adapters.redis.client import CALL_TIMEOUT_S, open_client
    from rag_core.adapters.redis.embeddings import RedisEmbeddingCache
    from rag_core.adapters.redis.fleet import RedisFleet

    # A single call may take all that a request may, where that is more than the client's own.
    call_s = max(CALL_TIMEOUT_S, settings.redis_budget_s)
    async with open_client(redis_url, call_timeout_s=call_s, listener=listener) as redis:
        yield CacheStores(
            RedisAnswerCache(redis, clock=clock),
            RedisEmbeddingCache(redis, ttl_s=settings.embedding_ttl_s),
            RedisFleet(redis),
            redis,
        )


def switched_off(stores: CacheStores) -> CacheStores:
    """Stores that keep nothing; whatever else is shared through Redis still is."""
    return replace(stores, answers=NoAnswerCache(), embeddings=NoEmbeddingCache(), fleet=NoFleet())


def epoch_source(
    read: ReadEpochs,
    settings: Settings,
    clock: Clock,
    listener: events.Listener = events.ignore,
) -> EpochSource:
    """Epochs as the database says, or as it said no longer ago than the settings allow."""
    shared = SharedEpochs(read, timeout_s=settings.database_timeout_s, listener=listener)
    if not settings.max_staleness_s:
        return shared
    return BelievedEpochs(shared, clock=clock, max_staleness_s=settings.max_staleness_s)


def wire_caches(
    settings: Settings,
    stores: CacheStores,
    epochs: EpochSource,
    clock: Clock,
    listener: events.Listener,
    jitter: random.Random,
) -> Caches:
    """The caches as the pipeline uses them, with the lifetimes of `settings`."""
    return Caches(
        answers=stores.answers,
        embeddings=stores.embeddings,
        contexts=ContextCache(
            clock=clock,
            max_bytes=0 if settings.cache == "off" else settings.context_cache_bytes,
            ttl_s=settings.context_ttl_s,
        ),
        epochs=epochs,
        ttl=AnswerTtl(
            soft_s=settings.answer_soft_ttl_s,
            hard_s=settings.answer_hard_ttl_s,
            jitter=settings.ttl_jitter,
        ),
        clock=clock,
        listener=listener,
        jitter=jitter,
    )
