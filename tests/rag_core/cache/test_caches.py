"""The levels together: how long answers live, and what is counted when something fails."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_core import events
from rag_core.cache.answers import AnswerCache, Entry, Look, MemoryAnswerCache
from rag_core.cache.contexts import ContextCache
from rag_core.cache.embeddings import EmbeddingCache, MemoryEmbeddingCache
from rag_core.cache.epochs import Epoch, EpochSource, NoBoard
from rag_core.cache.flights import NoFleet
from rag_core.cache.levels import AnswerTtl, CacheLevels
from rag_core.cache.sizes import CacheSize
from rag_core.cache.stats import CacheStats, LevelStats
from rag_core.clock import ManualClock
from rag_core.errors import CacheUnavailable, ConfigurationError
from rag_core.events import AttackRefused, CacheLooked
from rag_core.retrieval import DIMENSIONS
from rag_core.user import UserId
from tests.rag_core.cache.parts import ANSWER, EpochLedger, context, entry, hit

USER = UserId("ann")
VECTOR = np.ones(DIMENSIONS, np.float32)


class Gone:
    """Both caches, with the server behind them gone."""

    async def look(self, user: UserId, key: str) -> Look:
        raise CacheUnavailable("gone")

    async def store(self, key: str, entry: Entry) -> None:
        raise CacheUnavailable("gone")

    async def get(self, key: str) -> None:
        raise CacheUnavailable("gone")

    async def put(self, key: str, vector: Any) -> None:
        raise CacheUnavailable("gone")

    async def size(self) -> CacheSize:
        raise CacheUnavailable("gone")


def levels_of(
    clock: ManualClock,
    *,
    answers: AnswerCache | None = None,
    embeddings: EmbeddingCache | None = None,
    epochs: EpochSource | None = None,
    ttl: AnswerTtl | None = None,
    listener: events.Listener = events.ignore,
    seed: int = 1,
) -> CacheLevels:
    epochs = epochs or EpochLedger()
    return CacheLevels(
        answers=answers or MemoryAnswerCache(epochs=epochs, clock=clock),
        embeddings=embeddings or MemoryEmbeddingCache(),
        contexts=ContextCache(clock=clock),
        fleet=NoFleet(),
        epochs=epochs,
        ttl=ttl or AnswerTtl(),
        clock=clock,
        listener=listener,
        jitter=random.Random(seed),
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def ledger() -> EpochLedger:
    ledger = EpochLedger()
    ledger.epochs[USER] = Epoch("now")
    return ledger


@pytest.mark.parametrize(
    ("wrong", "setting"),
    [
        ({"soft_s": 0}, "RAG_ANSWER_SOFT_TTL_S"),
        ({"soft_s": -1}, "RAG_ANSWER_SOFT_TTL_S"),
        ({"soft_s": 10, "hard_s": 9}, "RAG_ANSWER_SOFT_TTL_S"),
        ({"soft_s": float("nan")}, "RAG_ANSWER_SOFT_TTL_S"),
        ({"jitter": -0.1}, "RAG_TTL_JITTER"),
        ({"jitter": 1}, "RAG_TTL_JITTER"),
    ],
)
def test_lifetimes_that_cannot_be_meant_are_refused_by_name(
    wrong: dict[str, float], setting: str
) -> None:
    with pytest.raises(ConfigurationError, match=setting):
        AnswerTtl(**wrong)


def test_lifetimes_may_be_equal_and_without_jitter() -> None:
    ttl = AnswerTtl(soft_s=5, hard_s=5, jitter=0)
    assert (ttl.soft_s, ttl.hard_s, ttl.jitter) == (5, 5, 0)


@given(st.integers(0, 2**32))
async def test_jitter_keeps_both_lifetimes_within_a_tenth(seed: int) -> None:
    clock, ledger = ManualClock(0), EpochLedger()
    levels = levels_of(clock, epochs=ledger, ttl=AnswerTtl(soft_s=100, hard_s=1000), seed=seed)
    for number in range(5):
        await levels.keep(f"key {number}", Look(None, Epoch("now")), ANSWER, 0)
        stored = (await levels.look(USER, f"key {number}")).entry
        assert stored is not None
        assert 90 <= stored.fresh_until <= 110
        assert 900 <= stored.gone_at <= 1100


async def test_entries_made_together_do_not_end_together(clock: ManualClock) -> None:
    levels, ends = levels_of(clock), set()
    for number in range(20):
        await levels.keep(f"key {number}", Look(None, Epoch("now")), ANSWER, 0)
        stored = (await levels.look(USER, f"key {number}")).entry
        assert stored is not None
        ends |= {stored.fresh_until, stored.gone_at}
    assert len(ends) == 40
    assert max(ends) - min(ends) > 86_400


async def test_an_answer_is_kept_with_the_epoch_of_its_look(
    clock: ManualClock, ledger: EpochLedger
) -> None:
    levels = levels_of(clock, epochs=ledger)
    look = await levels.look(USER, "key")
    ledger.epochs[USER] = Epoch("later")
    await levels.keep("key", look, ANSWER, 3500.0)
    found = await levels.look(USER, "key")
    assert found.entry is not None
    assert (found.entry.epoch, found.entry.took_ms, found.epoch) == ("now", 3500.0, "later")


async def test_without_an_epoch_nothing_is_kept_nor_stamped(clock: ManualClock) -> None:
    levels = levels_of(clock)
    await levels.keep("key", Look(None, None), ANSWER, 0)
    await levels.restamp("key", Look(None, None), entry(clock))
    assert (await levels.look(USER, "key")).entry is None


async def test_stamping_changes_the_epoch_and_no_lifetime(clock: ManualClock) -> None:
    levels, old = levels_of(clock), entry(clock, "old")
    clock.advance(10)
    await levels.restamp("key", Look(old, Epoch("now")), old)
    found = (await levels.look(USER, "key")).entry
    assert found is not None
    assert found.epoch == "now"
    assert (found.fresh_until, found.gone_at) == (old.fresh_until, old.gone_at)
    assert levels.fresh(found)
    clock.advance(290)
    assert not levels.fresh(found)


async def test_when_the_look_knows_no_epoch_the_database_is_asked(
    clock: ManualClock, ledger: EpochLedger
) -> None:
    levels = levels_of(clock, epochs=ledger)
    assert await levels.epoch(USER, Look(None, None)) == "now"
    assert await levels.epoch(USER, Look(None, Epoch("seen"))) == "seen"


async def test_caches_that_are_gone_cost_hits_and_are_counted(
    clock: ManualClock, ledger: EpochLedger
) -> None:
    heard: list[events.Event] = []
    gone = Gone()
    levels = levels_of(clock, answers=gone, embeddings=gone, epochs=ledger, listener=heard.append)
    assert await levels.look(USER, "key") == Look(None, None)
    assert await levels.vector("key") is None
    await levels.keep("key", Look(None, Epoch("now")), ANSWER, 0)
    await levels.restamp("key", Look(None, Epoch("now")), entry(clock))
    await levels.keep_vector("key", VECTOR)
    assert heard == [CacheLooked("answer", "unavailable"), CacheLooked("embedding", "unavailable")]
    stats = await levels.stats()
    assert stats["answer"] == LevelStats(unavailable=1)
    assert stats["embedding"] == LevelStats(unavailable=1)


async def test_stats_say_of_each_level_what_it_did_and_holds(
    clock: ManualClock, ledger: EpochLedger
) -> None:
    levels = levels_of(clock, epochs=ledger)
    assert await levels.vector("key") is None
    await levels.keep_vector("key", VECTOR)
    assert await levels.vector("key") is not None
    assert levels.context("key") is None
    levels.keep_context("key", context(hit()))
    assert levels.context("key") is not None
    await levels.keep("key", await levels.look(USER, "key"), ANSWER, 0)
    stats = await levels.stats()
    assert stats["embedding"] == LevelStats(hits=1, misses=1, entries=1, size_bytes=1536)
    assert (stats["context"].hits, stats["context"].misses, stats["context"].entries) == (1, 1, 1)
    assert stats["context"].size_bytes
    assert (stats["answer"].entries, stats["answer"].size_bytes) == (1, None)


def test_counters_add_up_what_was_saved_and_know_nothing_of_other_events() -> None:
    stats = CacheStats()
    for looked in (
        CacheLooked("answer", "hit", 100.0, 0.25),
        CacheLooked("answer", "revalidated", 200.0, 0.5),
        CacheLooked("answer", "stale", 300.0, 0.25),
        CacheLooked("answer", "miss"),
        CacheLooked("context", "miss"),
        AttackRefused("ignore-previous"),
    ):
        stats(looked)
    found = stats.snapshot()
    assert found["answer"] == LevelStats(1, 1, 1, 1, 0, saved_ms=600.0, saved_usd=1.0)
    assert found["context"] == LevelStats(misses=1)
    assert found["embedding"] == LevelStats()


async def test_without_a_board_nothing_is_announced_and_nothing_to_confirm() -> None:
    board = NoBoard()
    assert await board.announce(USER, Epoch("new")) is False
    await board.confirm(USER, Epoch("new"))
