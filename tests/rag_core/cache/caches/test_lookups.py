"""Lookups: entry and epoch are read side by side, and neither for who has given up."""

from __future__ import annotations

import asyncio

import pytest

from rag_core.cache import CachedAnswer, Epoch, MemoryAnswerCache, SharedEpochs
from rag_core.clock import ManualClock
from rag_core.errors import DatabaseUnavailable
from tests.rag_core.cache.caches.lookups import NOW, USER, caches_of, look_up
from tests.rag_core.cache.parts import ANSWER, PATIENCE_S, EpochReads, KnownEpochs, settled


class Slow(MemoryAnswerCache):
    """Says what it holds when it is told to."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock=clock)
        self.may_answer = asyncio.Event()

    async def get(self, key: str) -> CachedAnswer | None:
        await self.may_answer.wait()
        return await super().get(key)


def _shared(reads: EpochReads) -> SharedEpochs:
    return SharedEpochs(reads, timeout_s=PATIENCE_S)


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
