"""Stats of the caches: what each level did, holds and saved, also when a cache is gone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from rag_core import events
from rag_core.cache import CacheSize, CacheStats, Epoch, LevelStats
from rag_core.clock import ManualClock
from rag_core.domain import DIMENSIONS, UserId
from rag_core.errors import CacheUnavailable
from rag_core.events import AttackRefused, CacheLookedUp
from tests.rag_core.cache.caches.lookups import NOW, QUESTION, USER, caches_of, look_up
from tests.rag_core.cache.parts import ANSWER, KnownEpochs, context, hit

VECTOR = np.ones(DIMENSIONS, np.float32)


class Gone:
    """Both caches, with the server behind them gone."""

    async def get(self, key: str) -> None:
        raise CacheUnavailable("gone")

    async def put(self, key: str, value: Any) -> None:
        raise CacheUnavailable("gone")

    async def forget(self, user: UserId) -> None:
        raise CacheUnavailable("gone")

    async def size(self) -> CacheSize:
        raise CacheUnavailable("gone")


async def test_caches_that_are_gone_cost_hits_and_are_counted(
    clock: ManualClock, epochs: KnownEpochs
) -> None:
    heard: list[events.Event] = []
    gone = Gone()
    caches = caches_of(clock, answers=gone, embeddings=gone, epochs=epochs, listener=heard.append)
    assert await look_up(caches) == NOW
    assert await caches.get_vector(USER, QUESTION, "embedder") is None
    await caches.put(NOW, ANSWER, 0)
    await caches.put_vector(USER, QUESTION, "embedder", VECTOR)
    assert heard == [
        CacheLookedUp("answer", "unavailable"),
        CacheLookedUp("embedding", "unavailable"),
    ]
    stats = await caches.stats()
    assert stats["answer"] == LevelStats(unavailable=1)
    assert stats["embedding"] == LevelStats(unavailable=1)


async def test_stats_say_of_each_level_what_it_did_and_holds(
    clock: ManualClock, epochs: KnownEpochs
) -> None:
    caches = caches_of(clock, epochs=epochs)
    assert await caches.get_vector(USER, QUESTION, "embedder") is None
    await caches.put_vector(USER, QUESTION, "embedder", VECTOR)
    assert await caches.get_vector(USER, QUESTION, "embedder") is not None
    assert caches.get_context(NOW) is None
    caches.put_context(NOW, context(hit()))
    assert caches.get_context(NOW) is not None
    assert caches.get_context(replace(NOW, epoch=Epoch("later"))) is None
    await caches.put(await look_up(caches), ANSWER, 0)
    stats = await caches.stats()
    assert stats["embedding"] == LevelStats(hits=1, misses=1, entries=1, size_bytes=1536)
    assert (stats["context"].hits, stats["context"].misses, stats["context"].entries) == (1, 2, 1)
    assert stats["context"].size_bytes
    assert (stats["answer"].entries, stats["answer"].size_bytes) == (1, None)


def test_counters_add_up_what_was_saved_and_know_nothing_of_other_events() -> None:
    stats = CacheStats()
    for looked in (
        CacheLookedUp("answer", "hit", 100.0, 0.25),
        CacheLookedUp("answer", "revalidated", 200.0, 0.5),
        CacheLookedUp("answer", "stale", 300.0, 0.25),
        CacheLookedUp("answer", "miss"),
        CacheLookedUp("context", "miss"),
        AttackRefused("ignore-previous"),
    ):
        stats(looked)
    found = stats.snapshot()
    assert found["answer"] == LevelStats(1, 1, 1, 1, 0, saved_ms=600.0, saved_usd=1.0)
    assert found["context"] == LevelStats(misses=1)
    assert found["embedding"] == LevelStats()
