"""Believed copies of epochs: for so long, and no longer."""

from __future__ import annotations

import gc

import pytest

from rag_core.cache import BelievedEpochs, Epoch, SharedEpochs
from rag_core.clock import ManualClock
from rag_core.errors import DatabaseUnavailable
from tests.rag_core.cache.parts import (
    ANN,
    BEN,
    CAT,
    EpochReads,
    KnownEpochs,
    gone,
    settled,
)


@pytest.fixture
def known() -> KnownEpochs:
    known = KnownEpochs()
    known.epochs = {ANN: Epoch("a1"), BEN: Epoch("b1")}
    return known


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def believed(known: KnownEpochs, clock: ManualClock, seconds: float) -> BelievedEpochs:
    return BelievedEpochs(known, clock=clock, max_staleness_s=seconds)


async def test_a_copy_is_believed_for_so_long_and_then_no_more(
    known: KnownEpochs, clock: ManualClock
) -> None:
    source = believed(known, clock, 10)
    assert await source.epoch(ANN) == "a1"
    known.epochs[ANN] = Epoch("a2")
    clock.advance(9.999)
    assert await source.epoch(ANN) == "a1"
    assert known.asked == 1
    clock.advance(0.001)
    assert await source.epoch(ANN) == "a2"
    assert await source.epoch(ANN) == "a2"
    assert known.asked == 2


async def test_that_there_is_no_epoch_is_believed_too(
    known: KnownEpochs, clock: ManualClock
) -> None:
    source = believed(known, clock, 10)
    assert [await source.epoch(CAT) for _ in range(2)] == [None, None]
    assert known.asked == 1


async def test_users_have_copies_of_their_own(known: KnownEpochs, clock: ManualClock) -> None:
    source = believed(known, clock, 10)
    assert [await source.epoch(user) for user in (ANN, BEN, ANN)] == ["a1", "b1", "a1"]
    assert known.asked == 2


async def test_the_time_counts_from_before_the_read_however_long_it_took(
    reads: EpochReads, clock: ManualClock
) -> None:
    source = BelievedEpochs(SharedEpochs(reads), clock=clock, max_staleness_s=10)
    slow = source.epoch(ANN)
    clock.advance(8)
    await reads.end()
    assert await slow == "a1"
    clock.advance(1.9)
    assert await source.epoch(ANN) == "a1"
    clock.advance(0.1)
    again = source.epoch(ANN)
    await settled()
    assert reads.under_way == 1
    await reads.end()
    assert await again == "a1"


async def test_a_read_that_took_longer_than_that_is_not_believed_at_all(
    reads: EpochReads, clock: ManualClock
) -> None:
    source = BelievedEpochs(SharedEpochs(reads), clock=clock, max_staleness_s=10)
    slow = source.epoch(ANN)
    clock.advance(10)
    await reads.end()
    assert await slow == "a1"
    source.epoch(ANN)
    await settled()
    assert reads.under_way == 1


async def test_a_staleness_of_zero_asks_every_time(known: KnownEpochs, clock: ManualClock) -> None:
    source = believed(known, clock, 0)
    for epoch in ("a1", "a2", "a3"):
        known.epochs[ANN] = Epoch(epoch)
        assert await source.epoch(ANN) == epoch


async def test_an_error_is_not_remembered(
    known: KnownEpochs, clock: ManualClock, complaints: list[object]
) -> None:
    source = believed(known, clock, 10)
    known.error = gone()
    with pytest.raises(DatabaseUnavailable):
        await source.epoch(ANN)
    known.error = None
    assert await source.epoch(ANN) == "a1"
    gc.collect()
    assert complaints == []


async def test_with_postgres_away_a_copy_answers_until_its_time_is_up(
    known: KnownEpochs, clock: ManualClock
) -> None:
    source = believed(known, clock, 10)
    await source.epoch(ANN)
    known.error = gone()
    clock.advance(9)
    assert await source.epoch(ANN) == "a1"
    clock.advance(1)
    with pytest.raises(DatabaseUnavailable):
        await source.epoch(ANN)


async def test_a_caller_that_goes_away_leaves_no_copy_and_disturbs_nobody(
    reads: EpochReads, clock: ManualClock
) -> None:
    source = BelievedEpochs(SharedEpochs(reads), clock=clock, max_staleness_s=10)
    leaves, here = source.epoch(BEN), source.epoch(ANN)
    leaves.cancel()
    await reads.end()
    await reads.end()
    assert await here == "a1"
    assert await source.epoch(ANN) == "a1"
    again = source.epoch(BEN)
    await settled()
    assert reads.under_way == 1
    await reads.end()
    assert await again == "b1"


async def test_of_readers_at_once_each_remembers_no_more_than_its_own_read_vouches_for(
    reads: EpochReads, clock: ManualClock
) -> None:
    """The second asks while the first read is under way, and its own begins later."""
    source = BelievedEpochs(SharedEpochs(reads), clock=clock, max_staleness_s=10)
    first = source.epoch(ANN)
    await settled()
    clock.advance(4)
    second = source.epoch(ANN)
    await reads.end()
    reads.epochs[ANN] = Epoch("a2")
    await reads.end()
    assert (await first, await second) == ("a1", "a2")
    clock.advance(9.9)
    assert await source.epoch(ANN) == "a2"
    clock.advance(0.1)
    source.epoch(ANN)
    await settled()
    assert reads.under_way == 1
