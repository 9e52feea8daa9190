"""Wiring of the caches: which stores there are, and how long they keep what."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from rag_core import events
from rag_core.adapters.redis.answers import RedisAnswerCache
from rag_core.adapters.redis.embeddings import RedisEmbeddingCache
from rag_core.adapters.redis.epochs import RedisEpochs
from rag_core.adapters.redis.flights import RedisFlights
from rag_core.adapters.redis.link import open_link
from rag_core.cache.answers import AnswerCache, MemoryAnswerCache
from rag_core.cache.contexts import ContextCache
from rag_core.cache.embeddings import EmbeddingCache, MemoryEmbeddingCache
from rag_core.cache.epochs import EpochBoard, EpochSource, NoBoard
from rag_core.cache.flights import FleetFlights, NoFleet
from rag_core.cache.levels import AnswerTtl, CacheLevels
from rag_core.clock import Clock
from rag_core.settings import Settings


@dataclass(frozen=True, slots=True)
class CacheStores:
    """What differs between caches on Redis and caches in this process."""

    answers: AnswerCache
    embeddings: EmbeddingCache
    fleet: FleetFlights
    board: EpochBoard


@asynccontextmanager
async def cache_stores(
    redis_url: str | None, epochs: EpochSource, settings: Settings, clock: Clock
) -> AsyncIterator[CacheStores]:
    """Stores on Redis, which need not be up; without a URL, stores in memory."""
    if redis_url is None:
        answers = MemoryAnswerCache(epochs=epochs, clock=clock)
        yield CacheStores(answers, MemoryEmbeddingCache(), NoFleet(), NoBoard())
        return
    async with open_link(redis_url, clock=clock) as link:
        board = RedisEpochs(link, epochs, clock=clock, lease_s=settings.epoch_lease_s)
        yield CacheStores(
            RedisAnswerCache(link, board, clock=clock),
            RedisEmbeddingCache(link, ttl_s=settings.embedding_ttl_s),
            RedisFlights(link, clock=clock),
            board,
        )


def cache_levels(
    settings: Settings,
    stores: CacheStores,
    epochs: EpochSource,
    clock: Clock,
    listener: events.Listener,
) -> CacheLevels:
    """The levels as the pipeline uses them, with the lifetimes of `settings`."""
    return CacheLevels(
        answers=stores.answers,
        embeddings=stores.embeddings,
        contexts=ContextCache(
            clock=clock,
            max_bytes=settings.context_cache_bytes,
            ttl_s=settings.context_ttl_s,
        ),
        fleet=stores.fleet,
        epochs=epochs,
        ttl=AnswerTtl(
            soft_s=settings.answer_soft_ttl_s,
            hard_s=settings.answer_hard_ttl_s,
            jitter=settings.ttl_jitter,
        ),
        clock=clock,
        listener=listener,
        jitter=random.Random(),
    )
