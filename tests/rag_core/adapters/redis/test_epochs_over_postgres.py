"""Epochs with the real database: a copy is made only while no change is in flight."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from rag_core.adapters.postgres.pool import Pool
from rag_core.adapters.redis.epochs import RedisEpochs
from rag_core.adapters.redis.link import RedisLink

from rag_core.adapters.postgres.epochs import PostgresEpochs
from rag_core.adapters.postgres.notes import PostgresNotes
from rag_core.adapters.redis.answers import RedisAnswerCache
from rag_core.cache.epochs import LEASE_S, Epoch, EpochBoard, NoBoard
from rag_core.cache.keys import answer_key
from rag_core.clock import ManualClock
from rag_core.question import Question
from rag_core.tokens import Tokenizer
from rag_core.user import UserId
from tests.rag_core.embedded.processes import eventually
from tests.rag_core.library import ingest_over, note, rows


class Gate:
    """A board that keeps a change in flight: announced, and not committed before `open` is set."""

    def __init__(self, board: EpochBoard) -> None:
        self._board = board
        self.reached = asyncio.Event()
        self.open = asyncio.Event()

    async def announce(self, user: UserId, epoch: Epoch) -> bool:
        announced = await self._board.announce(user, epoch)
        self.reached.set()
        await self.open.wait()
        return announced

    async def confirm(self, user: UserId, epoch: Epoch) -> None:
        await self._board.confirm(user, epoch)


class Dying:
    """A board of a process that dies right after it has committed."""

    def __init__(self, board: EpochBoard) -> None:
        self._board = board

    async def announce(self, user: UserId, epoch: Epoch) -> bool:
        return await self._board.announce(user, epoch)

    async def confirm(self, user: UserId, epoch: Epoch) -> None:
        return


@asynccontextmanager
async def change_in_flight(pool: Pool, user: UserId, board: EpochBoard) -> AsyncIterator[None]:
    """Within the block a deletion is announced; at its end it is committed and confirmed."""
    gate = Gate(board)
    deleting = asyncio.create_task(PostgresNotes(pool, board=gate).delete(user, "grace"))
    await gate.reached.wait()
    try:
        yield
    finally:
        gate.open.set()
        assert await deleting


@pytest.fixture
def source(pool: Pool) -> PostgresEpochs:
    return PostgresEpochs(pool)


@pytest.fixture
def board(link: RedisLink, source: PostgresEpochs, clock: ManualClock) -> RedisEpochs:
    return RedisEpochs(link, source, clock=clock)


@pytest.fixture
def reader(other_link: RedisLink, source: PostgresEpochs, clock: ManualClock) -> RedisAnswerCache:
    """Another process than the one that writes."""
    return RedisAnswerCache(other_link, RedisEpochs(other_link, source, clock=clock), clock=clock)


@pytest.fixture(autouse=True)
async def _notes(pool: Pool, tokenizer: Tokenizer, user: UserId, other_user: UserId) -> None:
    for one in (user, other_user):
        await ingest_over(pool, tokenizer).run(one, [note("grace"), note("storm")])


async def seen(reader: RedisAnswerCache, user: UserId) -> Epoch | None:
    return (await reader.look(user, answer_key(user, Question("Grace?"), "pipeline"))).epoch


async def test_the_epoch_is_held_when_nothing_is_in_flight(
    source: PostgresEpochs, user: UserId
) -> None:
    async with source.hold(user) as held:
        assert held is not None
        assert held == await source.epoch(user)
        async with source.hold(user) as again:
            assert again == held, "holders do not exclude one another"


async def test_an_unknown_user_has_no_epoch(source: PostgresEpochs) -> None:
    nobody = UserId("nobody-at-all")
    assert await source.epoch(nobody) is None
    async with source.hold(nobody) as held:
        assert held is None


async def test_nothing_is_held_while_a_change_is_in_flight_and_nobody_waits_for_it(
    pool: Pool, source: PostgresEpochs, user: UserId, other_user: UserId
) -> None:
    before = await source.epoch(user)
    async with change_in_flight(pool, user, NoBoard()):
        async with source.hold(user) as held:
            assert held is None
        assert await source.epoch(user) == before, "what is committed"
        async with source.hold(other_user) as theirs:
            assert theirs == await source.epoch(other_user)
    async with source.hold(user) as held:
        assert held not in (None, before)


async def test_a_writer_waits_for_whoever_holds_the_epoch(
    pool: Pool, source: PostgresEpochs, user: UserId
) -> None:
    """Else a copy of the old epoch could be left after the new one was announced."""
    gate = Gate(NoBoard())
    gate.open.set()
    async with source.hold(user):
        deleting = asyncio.create_task(PostgresNotes(pool, board=gate).delete(user, "grace"))

        async def waits_for_the_lock() -> bool:
            found = await rows(pool, "SELECT FROM pg_locks WHERE NOT granted")
            return bool(found)

        await eventually(waits_for_the_lock)
        assert not gate.reached.is_set()
    assert await deleting


async def test_an_error_while_holding_lets_go(
    pool: Pool, source: PostgresEpochs, user: UserId
) -> None:
    with pytest.raises(KeyError):
        async with source.hold(user):
            raise KeyError("broken")
    assert await PostgresNotes(pool).delete(user, "grace")


async def test_readers_see_the_old_epoch_then_none_then_the_new_one(
    pool: Pool, source: PostgresEpochs, board: RedisEpochs, reader: RedisAnswerCache, user: UserId
) -> None:
    before = await seen(reader, user)
    assert before == await source.epoch(user)
    async with change_in_flight(pool, user, board):
        assert await seen(reader, user) is None
    after = await seen(reader, user)
    assert after == await source.epoch(user)
    assert after not in (None, before)


async def test_a_lost_announcement_is_made_up_for_by_the_lock(
    pool: Pool,
    link: RedisLink,
    source: PostgresEpochs,
    board: RedisEpochs,
    reader: RedisAnswerCache,
    user: UserId,
) -> None:
    await seen(reader, user)
    async with change_in_flight(pool, user, board):
        await link.client.delete(board.key(user))
        assert await seen(reader, user) is None
    assert await seen(reader, user) == await source.epoch(user)


async def test_a_writer_that_dies_after_its_commit_costs_hits_until_the_lease_ends(
    pool: Pool,
    source: PostgresEpochs,
    board: RedisEpochs,
    reader: RedisAnswerCache,
    clock: ManualClock,
    user: UserId,
) -> None:
    before = await seen(reader, user)
    assert await PostgresNotes(pool, board=Dying(board)).delete(user, "grace")
    assert await seen(reader, user) is None
    clock.advance(LEASE_S)
    after = await seen(reader, user)
    assert after == await source.epoch(user)
    assert after != before


async def test_a_change_that_is_rolled_back_leaves_the_old_epoch(
    pool: Pool,
    source: PostgresEpochs,
    board: RedisEpochs,
    reader: RedisAnswerCache,
    clock: ManualClock,
    user: UserId,
) -> None:
    before = await seen(reader, user)
    gate = Gate(board)
    deleting = asyncio.create_task(PostgresNotes(pool, board=gate).delete(user, "grace"))
    await gate.reached.wait()
    deleting.cancel()
    await asyncio.wait([deleting])
    assert await source.epoch(user) == before
    assert await seen(reader, user) is None, "announced"
    clock.advance(LEASE_S)
    assert await seen(reader, user) == before


async def test_one_users_change_leaves_anothers_epoch_alone(
    pool: Pool, board: RedisEpochs, reader: RedisAnswerCache, user: UserId, other_user: UserId
) -> None:
    theirs = await seen(reader, other_user)
    async with change_in_flight(pool, user, board):
        assert await seen(reader, other_user) == theirs is not None
    assert await seen(reader, other_user) == theirs
