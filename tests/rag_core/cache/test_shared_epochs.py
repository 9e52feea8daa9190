"""Shared reads of epochs: one for all who ask meanwhile, and never older than the call."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Collection, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_core.cache import Epoch, SharedEpochs
from rag_core.clock import SystemClock
from rag_core.correlation import REQUEST_ID
from rag_core.domain import UserId
from rag_core.errors import DatabaseUnavailable
from rag_core.guard import Deadline, seconds_left
from tests.rag_core.cache.parts import (
    ANN,
    BEN,
    CAT,
    PATIENCE_S,
    EpochReads,
    gone,
    settled,
)


@pytest.fixture
def shared(reads: EpochReads) -> SharedEpochs:
    return SharedEpochs(reads, timeout_s=PATIENCE_S)


async def test_the_read_is_under_way_when_the_call_returns(
    shared: SharedEpochs, reads: EpochReads
) -> None:
    epoch = shared.epoch(ANN)
    await settled()
    assert reads.begun == [{ANN}]
    await reads.end()
    assert await epoch == "a1"


async def test_a_user_without_notes_has_no_epoch(shared: SharedEpochs, reads: EpochReads) -> None:
    epoch = shared.epoch(CAT)
    await reads.end()
    assert await epoch is None


async def test_whoever_comes_during_a_read_joins_the_next_and_one_is_under_way_at_a_time(
    shared: SharedEpochs, reads: EpochReads
) -> None:
    first = shared.epoch(ANN)
    await settled()
    late = [shared.epoch(user) for user in (ANN, BEN, ANN)]
    assert reads.under_way == 1
    await reads.end()
    assert first.result() == "a1"
    assert not any(one.done() for one in late)
    assert reads.begun == [{ANN}, {ANN, BEN}]
    assert reads.under_way == 1
    await reads.end()
    assert [one.result() for one in late] == ["a1", "b1", "a1"]
    assert reads.under_way == 0


async def test_whoever_comes_after_a_change_never_gets_what_an_earlier_read_saw(
    shared: SharedEpochs, reads: EpochReads
) -> None:
    """The read has begun before the change, and ends after it."""
    before = shared.epoch(ANN)
    await settled()
    reads.epochs = {ANN: Epoch("a2")}
    after = shared.epoch(ANN)
    reads.epochs, now = {ANN: Epoch("a1")}, reads.epochs
    await reads.end()
    assert before.result() == "a1"
    reads.epochs = now
    await reads.end()
    assert after.result() == "a2"


async def test_a_caller_that_goes_away_disturbs_nobody(
    shared: SharedEpochs, reads: EpochReads
) -> None:
    leaves, here = shared.epoch(ANN), shared.epoch(ANN)
    leaves.cancel()
    later, leaves_too = shared.epoch(BEN), shared.epoch(CAT)
    leaves_too.cancel()
    await reads.end()
    await reads.end()
    assert (here.result(), later.result()) == ("a1", "b1")
    assert reads.begun == [{ANN}, {ANN, BEN}]


async def test_nothing_is_read_for_callers_that_have_all_gone_away(
    shared: SharedEpochs, reads: EpochReads
) -> None:
    first, waiting = shared.epoch(ANN), shared.epoch(BEN)
    waiting.cancel()
    await reads.end()
    assert first.result() == "a1"
    assert reads.begun == [{ANN}]
    again = shared.epoch(BEN)
    await reads.end()
    assert again.result() == "b1"


async def test_an_error_reaches_all_callers_of_its_read_and_the_next_read_is_tried_anew(
    shared: SharedEpochs, reads: EpochReads
) -> None:
    first = shared.epoch(ANN)
    callers = [shared.epoch(user) for user in (ANN, BEN, CAT)]
    await reads.end()
    await settled()
    late = shared.epoch(ANN)
    error = gone()
    await reads.end(error)
    assert first.result() == "a1"
    assert [caller.exception() for caller in callers] == [error] * 3
    await reads.end()
    assert late.result() == "a1"


async def test_an_error_that_nobody_asks_for_any_more_complains_to_nobody(
    shared: SharedEpochs, reads: EpochReads, complaints: list[object]
) -> None:
    """Its caller is cancelled while it still waits for the cache, and never gets to the epoch."""
    epoch = shared.epoch(ANN)
    await reads.end(gone())
    assert epoch.done()
    del epoch
    gc.collect()
    await settled()
    assert complaints == []


async def test_a_read_knows_neither_the_deadline_nor_the_id_of_who_began_it() -> None:
    """Reads follow upon one another for hours: the first request's deadline is long over."""
    seen: list[tuple[float, str]] = []

    def read(users: Collection[UserId]) -> Awaitable[Mapping[UserId, Epoch]]:
        """The question is sent at once, the reply read later."""
        seen.append((seconds_left(99), REQUEST_ID.get()))
        return reply()

    async def reply() -> Mapping[UserId, Epoch]:
        await asyncio.sleep(0)
        seen.append((seconds_left(99), REQUEST_ID.get()))
        return {}

    shared, token = SharedEpochs(read), REQUEST_ID.set("the first request")
    with Deadline(5.0, SystemClock()).applied():
        chain = [shared.epoch(ANN)]
        await asyncio.sleep(0)
        chain += [shared.epoch(BEN)]
    REQUEST_ID.reset(token)
    for _ in range(5):
        await asyncio.sleep(0)
        chain.append(shared.epoch(CAT))
    await asyncio.gather(*chain)
    assert len(seen) > 4
    assert set(seen) == {(99, "")}


async def test_a_caller_waits_no_longer_than_its_request_has_left(
    shared: SharedEpochs, reads: EpochReads
) -> None:
    """And whoever shares its read waits on."""
    with Deadline(0.01, SystemClock()).applied():
        hurried = shared.epoch(ANN)
    await settled()
    patient, with_it = shared.epoch(ANN), shared.epoch(BEN)
    with pytest.raises(DatabaseUnavailable, match="in time"):
        await hurried
    await reads.end()
    await reads.end()
    assert (patient.result(), with_it.result()) == ("a1", "b1")


async def test_behind_a_read_that_hangs_a_caller_waits_for_its_own_patience_only(
    reads: EpochReads,
) -> None:
    """Not for the end of one read and then of another."""
    shared = SharedEpochs(reads, timeout_s=0.01)
    hanging, behind = shared.epoch(ANN), shared.epoch(BEN)
    for caller in (hanging, behind):
        with pytest.raises(DatabaseUnavailable):
            await caller
    assert reads.under_way == 1
    await reads.end(gone())
    healed = shared.epoch(ANN)
    await reads.end()
    assert await healed == "a1"


async def test_a_read_that_is_cancelled_cancels_its_callers() -> None:
    """As when the event loop is shut down."""

    async def read(users: Collection[UserId]) -> Mapping[UserId, Epoch]:
        raise asyncio.CancelledError

    epoch = SharedEpochs(read).epoch(ANN)
    with pytest.raises(asyncio.CancelledError):
        await epoch


STEPS = st.lists(
    st.sampled_from(["ask ann", "ask ben", "go away", "change", "see", "end", "fail"]),
    min_size=5,
    max_size=80,
)


class Slow:
    """A store whose reads see what is committed at some moment between their begin and end."""

    def __init__(self) -> None:
        self.version = 0
        self.now = 0
        self._reads: list[tuple[asyncio.Future[None], list[int], int]] = []

    async def __call__(self, users: Collection[UserId]) -> Mapping[UserId, Epoch]:
        end = asyncio.get_running_loop().create_future()
        saw: list[int] = []
        self._reads.append((end, saw, self.version))
        assert len(self._reads) == 1, "one read at a time"
        try:
            await end
        finally:
            self._reads.clear()
        version = saw[0] if saw else self.version
        return {user: Epoch(str(version)) for user in users}

    def see(self) -> None:
        for _, saw, _ in self._reads:
            if not saw:
                saw.append(self.version)

    def end(self, error: Exception | None = None) -> None:
        for end, _, _ in self._reads:
            if not end.done():
                end.set_exception(error) if error else end.set_result(None)


@given(STEPS)
async def test_no_interleaving_shows_a_caller_an_epoch_older_than_its_call(
    steps: list[str],
) -> None:
    """Callers, changes and reads in any order; what fails or goes away ends no one else."""
    store = Slow()
    shared = SharedEpochs(store, timeout_s=PATIENCE_S)
    callers: list[tuple[int, asyncio.Future[Epoch | None]]] = []
    for step in steps:
        match step:
            case "ask ann" | "ask ben":
                callers.append((store.version, shared.epoch(UserId(step[4:]))))
            case "go away":
                for _, caller in callers[-1:]:
                    caller.cancel()
            case "change":
                store.version += 1
            case "see":
                store.see()
            case "end":
                store.end()
            case "fail":
                store.end(gone())
        await settled()
    for _ in range(2):
        store.end()
        await settled()
    assert all(caller.done() for _, caller in callers)
    for asked_at, caller in callers:
        if not caller.cancelled() and caller.exception() is None:
            assert int(caller.result() or 0) >= asked_at
