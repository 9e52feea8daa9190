"""The caches together: how long answers live, and what is counted when something fails."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_core import events
from rag_core.cache import (
    AnswerCache,
    AnswerTtl,
    CachedAnswer,
    Caches,
    CacheSize,
    CacheStats,
    ContextCache,
    EmbeddingCache,
    Epoch,
    EpochSource,
    LevelStats,
    Lookup,
    MemoryAnswerCache,
    MemoryEmbeddingCache,
    SharedEpochs,
    answer_key,
)
from rag_core.clock import ManualClock
from rag_core.domain import DIMENSIONS, Provenance, Question, UserId
from rag_core.errors import CacheUnavailable, ConfigurationError, DatabaseUnavailable
from rag_core.events import AttackRefused, CacheLookedUp
from tests.rag_core.cache.parts import (
    ANSWER,
    PATIENCE_S,
    EpochReads,
    KnownEpochs,
    cached_answer,
    context,
    hit,
    settled,
)

USER = UserId("ann")
VECTOR = np.ones(DIMENSIONS, np.float32)
QUESTION = Question("What is grace?")
PIPELINE = "0123456789abcdef"


def looked_up(question: Question) -> Lookup:
    """Nothing found, at an epoch that is now."""
    key = answer_key(USER, question, PIPELINE)
    return Lookup(USER, question, PIPELINE, key, None, Epoch("now"))


NOW = looked_up(QUESTION)


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


class Slow(MemoryAnswerCache):
    """Says what it holds when it is told to."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock=clock)
        self.may_answer = asyncio.Event()

    async def get(self, key: str) -> CachedAnswer | None:
        await self.may_answer.wait()
        return await super().get(key)


def caches_of(
    clock: ManualClock,
    *,
    answers: AnswerCache | None = None,
    embeddings: EmbeddingCache | None = None,
    epochs: EpochSource | None = None,
    ttl: AnswerTtl | None = None,
    listener: events.Listener = events.ignore,
    seed: int = 1,
) -> Caches:
    return Caches(
        answers=answers or MemoryAnswerCache(clock=clock),
        embeddings=embeddings or MemoryEmbeddingCache(),
        contexts=ContextCache(clock=clock),
        epochs=epochs or KnownEpochs(),
        ttl=ttl or AnswerTtl(),
        clock=clock,
        listener=listener,
        jitter=random.Random(seed),
    )


async def look_up(caches: Caches, question: Question = QUESTION) -> Lookup:
    return await caches.lookup(USER, question, PIPELINE)


async def stored(caches: Caches, question: Question = QUESTION) -> CachedAnswer:
    """What is kept of the answer to `question`."""
    found = (await look_up(caches, question)).cached
    assert found is not None
    return found


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def epochs() -> KnownEpochs:
    known = KnownEpochs()
    known.epochs[USER] = Epoch("now")
    return known


def test_lifetimes_that_cannot_be_meant_are_refused_by_name(subtests: pytest.Subtests) -> None:
    for wrong, setting in [
        ({"soft_s": 0}, "RAG_ANSWER_SOFT_TTL_S"),
        ({"soft_s": -1}, "RAG_ANSWER_SOFT_TTL_S"),
        ({"soft_s": 10, "hard_s": 9}, "RAG_ANSWER_SOFT_TTL_S"),
        ({"soft_s": float("nan")}, "RAG_ANSWER_SOFT_TTL_S"),
        ({"jitter": -0.1}, "RAG_TTL_JITTER"),
        ({"jitter": 1}, "RAG_TTL_JITTER"),
    ]:
        with (
            subtests.test(wrong=wrong, setting=setting),
            pytest.raises(ConfigurationError, match=setting),
        ):
            AnswerTtl(**wrong)


def test_lifetimes_may_be_equal_and_without_jitter() -> None:
    ttl = AnswerTtl(soft_s=5, hard_s=5, jitter=0)
    assert (ttl.soft_s, ttl.hard_s, ttl.jitter) == (5, 5, 0)


@given(st.integers(0, 2**32))
async def test_jitter_keeps_both_lifetimes_within_a_tenth(seed: int) -> None:
    caches = caches_of(ManualClock(0), ttl=AnswerTtl(soft_s=100, hard_s=1000), seed=seed)
    for number in range(5):
        question = Question(f"Question {number}?")
        await caches.put(looked_up(question), ANSWER, 0)
        kept = await stored(caches, question)
        assert 90 <= kept.soft_expires_at <= 110
        assert 900 <= kept.hard_expires_at <= 1100


async def test_entries_made_together_do_not_end_together(clock: ManualClock) -> None:
    caches, ends = caches_of(clock), set()
    for number in range(20):
        question = Question(f"Question {number}?")
        await caches.put(looked_up(question), ANSWER, 0)
        kept = await stored(caches, question)
        ends |= {kept.soft_expires_at, kept.hard_expires_at}
    assert len(ends) == 40
    assert max(ends) - min(ends) > 86_400


async def test_an_answer_is_kept_with_the_epoch_of_its_lookup(
    clock: ManualClock, epochs: KnownEpochs
) -> None:
    """Read before its evidence was retrieved; never with a later one."""
    caches = caches_of(clock, epochs=epochs)
    lookup = await look_up(caches)
    epochs.epochs[USER] = Epoch("later")
    await caches.put(lookup, ANSWER, 3500.0)
    found = await look_up(caches)
    assert found.cached is not None
    assert (found.cached.epoch, found.cached.took_ms, found.epoch) == ("now", 3500.0, "later")


async def test_without_an_epoch_nothing_is_kept(clock: ManualClock) -> None:
    caches = caches_of(clock)
    await caches.put(replace(NOW, epoch=None), ANSWER, 0)
    assert await look_up(caches) == replace(NOW, epoch=None)


async def test_a_refusal_is_not_kept(clock: ManualClock, epochs: KnownEpochs) -> None:
    caches = caches_of(clock, epochs=epochs)
    await caches.put(NOW, replace(ANSWER, provenance=Provenance.REFUSED), 0)
    assert (await look_up(caches)).cached is None


async def test_what_stands_is_served_once_more_under_the_epoch_that_was_read(
    clock: ManualClock, epochs: KnownEpochs
) -> None:
    caches, old = caches_of(clock, epochs=epochs), cached_answer(clock, "old")
    clock.advance(10)
    given = await caches.revalidate(replace(NOW, cached=old), old.answer.evidence)
    assert given is not None
    assert (given.text, given.provenance) == (old.answer.text, Provenance.REVALIDATED)
    found = await look_up(caches)
    assert found.cached is not None
    assert found.cached.epoch == "now"
    assert found.cached.soft_expires_at == old.soft_expires_at
    assert found.cached.hard_expires_at == old.hard_expires_at
    assert caches.serve(found) is not None
    clock.advance(290)
    assert caches.serve(found) is None, "its soft TTL has ended"


async def test_what_rests_on_other_evidence_or_is_not_there_is_a_miss(
    clock: ManualClock, epochs: KnownEpochs
) -> None:
    heard: list[events.Event] = []
    caches = caches_of(clock, epochs=epochs, listener=heard.append)
    for cached in (None, cached_answer(clock, "old")):
        assert await caches.revalidate(replace(NOW, cached=cached), "other evidence") is None
    assert (await look_up(caches)).cached is None
    assert heard == [CacheLookedUp("answer", "miss")] * 2


async def test_only_what_is_past_its_soft_ttl_and_stands_is_fallen_back_on(
    clock: ManualClock,
) -> None:
    caches, old = caches_of(clock), cached_answer(clock, "old")
    lookup, evidence = replace(NOW, cached=old), old.answer.evidence
    assert caches.fall_back(lookup, evidence) is None, "it is fresh"
    clock.advance(300)
    assert caches.fall_back(lookup, "other evidence") is None
    given = caches.fall_back(lookup, evidence)
    assert given is not None
    assert given.provenance is Provenance.STALE


async def test_epoch_and_entry_are_read_side_by_side(clock: ManualClock) -> None:
    reads, answers = EpochReads(), Slow(clock)
    caches = caches_of(clock, answers=answers, epochs=_shared(reads))
    looking = asyncio.create_task(look_up(caches))
    await settled()
    assert reads.under_way == 1, "while the cache has not answered yet"
    reads.epochs[USER] = Epoch("now")
    await reads.end()
    answers.may_answer.set()
    assert await looking == NOW


async def test_when_the_epoch_cannot_be_read_there_is_no_answer(
    clock: ManualClock, epochs: KnownEpochs
) -> None:
    caches = caches_of(clock, epochs=epochs)
    await caches.put(NOW, ANSWER, 0)
    epochs.error = DatabaseUnavailable("gone")
    with pytest.raises(DatabaseUnavailable):
        await look_up(caches)


async def test_for_a_lookup_that_is_given_up_nothing_is_read_any_more(clock: ManualClock) -> None:
    """Here while it waits for the cache, and for its turn to read the epoch."""
    reads = EpochReads()
    epochs = _shared(reads)
    caches = caches_of(clock, answers=Slow(clock), epochs=epochs)
    somebody = epochs.epoch(USER)
    looking = asyncio.create_task(look_up(caches))
    await settled()
    looking.cancel()
    await asyncio.wait([looking])
    assert looking.cancelled()
    await reads.end()
    assert somebody.done()
    assert len(reads.begun) == 1


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


def _shared(reads: EpochReads) -> SharedEpochs:
    return SharedEpochs(reads, timeout_s=PATIENCE_S)
