"""Leased copies of epochs: whatever is lost, late or made up, an old epoch is never believed."""

from __future__ import annotations

import asyncio

import pytest
from rag_core.adapters.redis.epochs import EpochCopy, RedisEpochs, decode_copy
from rag_core.adapters.redis.link import RedisLink, open_link

from rag_core.adapters.redis.answers import RedisAnswerCache
from rag_core.cache.epochs import CLOCK_SKEW_S, LEASE_S, Epoch
from rag_core.cache.keys import answer_key
from rag_core.clock import ManualClock
from rag_core.question import Question
from rag_core.user import UserId
from tests.rag_core.adapters.redis.fake_server import FakeServer, Fault, bulk
from tests.rag_core.adapters.redis.own_valkey import OwnValkey
from tests.rag_core.cache.parts import EpochLedger, entry, settled

OLD, NEW, NEWER = Epoch("old"), Epoch("new"), Epoch("newer")


class Reader:
    """A worker that looks into the cache."""

    def __init__(self, link: RedisLink, ledger: EpochLedger, clock: ManualClock) -> None:
        self.epochs = RedisEpochs(link, ledger, clock=clock)
        self._answers = RedisAnswerCache(link, self.epochs, clock=clock)
        self._ledger = ledger

    async def sees(self, user: UserId) -> Epoch | None:
        """The epoch by a look."""
        key = answer_key(user, Question("What is grace?"), "pipeline")
        return (await self._answers.look(user, key)).epoch

    async def believes(self, user: UserId) -> bool:
        """Whether a look does without the database."""
        holds = self._ledger.holds
        await self.sees(user)
        return self._ledger.holds == holds


async def raw(link: RedisLink, key: str) -> bytes:
    """What lies under a key."""
    value = await link.client.get(key)
    assert isinstance(value, bytes)
    return value


@pytest.fixture
def reader(other_link: RedisLink, ledger: EpochLedger, clock: ManualClock) -> Reader:
    """Another process than the writer, whose board is `epochs`."""
    return Reader(other_link, ledger, clock)


@pytest.fixture(autouse=True)
def _known(ledger: EpochLedger, user: UserId) -> None:
    ledger.epochs[user] = OLD


async def test_the_first_look_leaves_a_copy_that_the_next_believes(
    reader: Reader, user: UserId
) -> None:
    assert await reader.sees(user) == OLD
    assert await reader.believes(user)
    assert await reader.sees(user) == OLD


async def test_an_announced_change_makes_the_epoch_unknown_without_asking_the_database(
    reader: Reader, epochs: RedisEpochs, ledger: EpochLedger, user: UserId
) -> None:
    await reader.sees(user)
    async with ledger.change(user, "new"):
        assert await epochs.announce(user, NEW)
        assert await reader.sees(user) is None
        assert await reader.believes(user)


async def test_a_confirmed_change_is_seen_at_once_and_believed(
    reader: Reader, epochs: RedisEpochs, ledger: EpochLedger, user: UserId
) -> None:
    await reader.sees(user)
    async with ledger.change(user, "new"):
        await epochs.announce(user, NEW)
    assert await reader.sees(user) is None, "committed, but not confirmed yet"
    await epochs.confirm(user, NEW)
    assert await reader.sees(user) == NEW
    assert await reader.believes(user)


async def test_confirming_does_not_lengthen_the_time_the_copy_is_believed(
    reader: Reader, epochs: RedisEpochs, ledger: EpochLedger, clock: ManualClock, user: UserId
) -> None:
    async with ledger.change(user, "new"):
        await epochs.announce(user, NEW)
    clock.advance(LEASE_S - 1)
    await epochs.confirm(user, NEW)
    assert await reader.believes(user)
    clock.advance(1)
    assert not await reader.believes(user)


@pytest.mark.parametrize("committed", [True, False])
async def test_a_writer_that_dies_after_announcing_costs_hits_until_the_lease_ends(
    reader: Reader,
    epochs: RedisEpochs,
    ledger: EpochLedger,
    clock: ManualClock,
    user: UserId,
    committed: bool,
) -> None:
    await reader.sees(user)
    await epochs.announce(user, NEW)
    if committed:
        async with ledger.change(user, "new"):
            pass
    clock.advance(LEASE_S - 0.001)
    assert await reader.sees(user) is None
    clock.advance(0.001)
    assert await reader.sees(user) == (NEW if committed else OLD)
    assert await reader.believes(user)


async def test_a_lost_copy_is_made_anew_from_the_database(
    reader: Reader, epochs: RedisEpochs, link: RedisLink, ledger: EpochLedger, user: UserId
) -> None:
    await reader.sees(user)
    async with ledger.change(user, "new"):
        pass
    await link.client.delete(epochs.key(user))
    assert await reader.sees(user) == NEW
    assert await reader.believes(user)


async def test_a_lost_announcement_leaves_no_copy_while_the_change_is_in_flight(
    reader: Reader, epochs: RedisEpochs, link: RedisLink, ledger: EpochLedger, user: UserId
) -> None:
    await reader.sees(user)
    async with ledger.change(user, "new"):
        await epochs.announce(user, NEW)
        await link.client.delete(epochs.key(user))
        assert await reader.sees(user) is None
        assert not await link.client.exists(epochs.key(user))
    await epochs.confirm(user, NEW)
    assert not await link.client.exists(epochs.key(user)), "there is nothing to confirm"
    assert await reader.sees(user) == NEW


async def test_a_copy_ends_with_its_lease_by_the_readers_clock(
    reader: Reader, clock: ManualClock, user: UserId
) -> None:
    await reader.sees(user)
    clock.advance(LEASE_S - 0.001)
    assert await reader.believes(user)
    clock.advance(0.001)
    assert not await reader.believes(user)


async def test_a_copy_ends_on_the_server_too(
    reader: Reader, epochs: RedisEpochs, link: RedisLink, ledger: EpochLedger, user: UserId
) -> None:
    await reader.sees(user)
    assert 0 < await link.client.pttl(epochs.key(user)) <= LEASE_S * 1000
    async with ledger.change(user, "new"):
        await epochs.announce(user, NEW)
    await epochs.confirm(user, NEW)
    assert 0 < await link.client.pttl(epochs.key(user)) <= LEASE_S * 1000


async def test_a_copy_from_another_life_of_the_server_is_not_believed_and_replaced(
    reader: Reader, epochs: RedisEpochs, link: RedisLink, clock: ManualClock, user: UserId
) -> None:
    restored = EpochCopy(True, Epoch("restored"), b"another life", clock.now() + 1000)
    await link.client.set(epochs.key(user), restored.encode(), ex=60)
    assert await reader.sees(user) == OLD
    assert await reader.believes(user)


async def test_a_copy_that_names_no_server_is_not_believed(
    fake: FakeServer, ledger: EpochLedger, clock: ManualClock, user: UserId
) -> None:
    """A proxy may hide which server answers; then a restart could not be told either."""
    copy = EpochCopy(True, Epoch("made up"), b"", clock.now() + 1000).encode()
    fake.script = {
        b"INFO": bulk(b"nothing"),
        b"MGET": b"*2\r\n" + bulk(copy) + b"_\r\n",
    }.get
    async with open_link(fake.url, clock=clock, call_timeout_s=30) as link:
        assert await Reader(link, ledger, clock).sees(user) == OLD


@pytest.mark.parametrize(
    "value", [b"", b"garbage", b"=|e|r", b"=|e|r|soon", b"=|\xff|r|1", b"=|e|r|1|1", b"||||"]
)
async def test_garbage_is_no_copy_and_is_replaced(
    reader: Reader, epochs: RedisEpochs, link: RedisLink, user: UserId, value: bytes
) -> None:
    assert decode_copy(value) is None
    await link.client.set(epochs.key(user), value, ex=60)
    assert await reader.sees(user) == OLD
    assert await reader.believes(user)


def test_a_copy_survives_encoding() -> None:
    copy = EpochCopy(True, NEW, b"run", 1_800_000_000.125)
    assert decode_copy(copy.encode()) == copy


async def test_a_late_confirmation_does_not_settle_the_next_writers_announcement(
    reader: Reader, epochs: RedisEpochs, ledger: EpochLedger, user: UserId
) -> None:
    async with ledger.change(user, "new"):
        await epochs.announce(user, NEW)
    async with ledger.change(user, "newer"):
        await epochs.announce(user, NEWER)
        await epochs.confirm(user, NEW)
        assert await reader.sees(user) is None
    await epochs.confirm(user, NEWER)
    assert await reader.sees(user) == NEWER


async def test_an_epoch_that_begins_like_another_does_not_confirm_it(
    reader: Reader, epochs: RedisEpochs, user: UserId
) -> None:
    await epochs.announce(user, NEWER)
    await epochs.confirm(user, NEW)
    assert await reader.sees(user) is None


async def test_a_late_lease_does_not_overwrite_a_copy_that_is_believed(
    reader: Reader, epochs: RedisEpochs, ledger: EpochLedger, user: UserId
) -> None:
    """The reader's write was on its way, unanswered, while a writer announced and committed."""
    await reader.sees(user)
    async with ledger.change(user, "new"):
        await epochs.announce(user, NEW)
        await reader.epochs._lease(user, OLD)
        assert await reader.sees(user) is None
    await epochs.confirm(user, NEW)
    await reader.epochs._lease(user, OLD)
    assert await reader.sees(user) == NEW


async def test_a_lease_that_arrives_after_its_own_end_is_not_believed(
    reader: Reader, epochs: RedisEpochs, link: RedisLink, clock: ManualClock, user: UserId
) -> None:
    late = EpochCopy(True, OLD, link.run_id, clock.now() + LEASE_S)
    clock.advance(LEASE_S)
    await link.client.set(epochs.key(user), late.encode(), ex=60)
    assert not await reader.believes(user)


async def test_a_writer_that_cannot_announce_waits_until_no_copy_is_believed(
    fake: FakeServer, reader: Reader, ledger: EpochLedger, clock: ManualClock, user: UserId
) -> None:
    """Redis is gone for the writer, while a reader still reaches it."""
    fake.always(Fault.CUT)
    assert await reader.sees(user) == OLD
    async with open_link(fake.url, clock=clock) as broken:
        board = RedisEpochs(broken, ledger, clock=clock)
        began = clock.now()
        async with ledger.change(user, "new"):
            assert not await board.announce(user, NEW)
            assert clock.now() - began == LEASE_S + CLOCK_SKEW_S
            assert await reader.sees(user) is None
    assert await reader.sees(user) == NEW


@pytest.mark.parametrize(
    "reply",
    [b"-OOM command not allowed\r\n", b"-READONLY replica\r\n", b"+WHAT\r\n", b":1\r\n", b"_\r\n"],
)
async def test_an_announcement_that_was_not_taken_is_waited_out(
    fake: FakeServer, ledger: EpochLedger, clock: ManualClock, user: UserId, reply: bytes
) -> None:
    fake.script = {b"SET": reply}.get
    async with open_link(fake.url, clock=clock, call_timeout_s=30) as link:
        began = clock.now()
        assert not await RedisEpochs(link, ledger, clock=clock).announce(user, NEW)
        assert clock.now() - began == LEASE_S + CLOCK_SKEW_S


async def test_an_announcement_names_the_server_that_took_it(
    valkey: OwnValkey, ledger: EpochLedger, clock: ManualClock, user: UserId
) -> None:
    """The server is restarted between the writer's last call and its announcement."""
    async with open_link(valkey.url, clock=clock, call_timeout_s=30) as link:
        board = RedisEpochs(link, ledger, clock=clock)
        await link.connected()
        await valkey.kill()
        await valkey.start()
        assert await board.announce(user, NEW)
        copy = decode_copy(await raw(link, board.key(user)))
        assert copy is not None
        assert copy.run_id == (await link.client.info("server"))["run_id"].encode()


async def test_a_restart_costs_looks_into_the_database_and_nothing_else(
    valkey: OwnValkey, ledger: EpochLedger, clock: ManualClock, user: UserId
) -> None:
    """Even if the server were to come back with what it knew before."""
    async with open_link(valkey.url, clock=clock, call_timeout_s=30) as link:
        reader = Reader(link, ledger, clock)
        assert await reader.sees(user) == OLD
        saved, life = await raw(link, reader.epochs.key(user)), link.run_id
        await valkey.kill()
        async with ledger.change(user, "new"):
            pass
        await valkey.start()
        await link.client.set(reader.epochs.key(user), saved, ex=60)
        assert link.run_id != life
        assert await reader.sees(user) == NEW
        assert await reader.believes(user)


async def test_a_lost_confirmation_costs_hits_until_the_lease_ends(
    valkey: OwnValkey, ledger: EpochLedger, clock: ManualClock, user: UserId
) -> None:
    async with open_link(valkey.url, clock=clock, call_timeout_s=30) as link:
        board = RedisEpochs(link, ledger, clock=clock)
        async with ledger.change(user, "new"):
            await board.announce(user, NEW)
        await valkey.kill()
        await board.confirm(user, NEW)
        await valkey.start()
        assert await Reader(link, ledger, clock).sees(user) == NEW


async def test_a_change_by_one_user_leaves_anothers_copy_alone(
    reader: Reader, epochs: RedisEpochs, ledger: EpochLedger, user: UserId, other_user: UserId
) -> None:
    ledger.epochs[other_user] = Epoch("theirs")
    await reader.sees(other_user)
    async with ledger.change(user, "new"):
        await epochs.announce(user, NEW)
        assert await reader.sees(other_user) == "theirs"
        assert await reader.believes(other_user)


async def test_a_user_without_notes_has_no_copy(
    reader: Reader, epochs: RedisEpochs, link: RedisLink, other_user: UserId
) -> None:
    assert await reader.sees(other_user) is None
    assert not await link.client.exists(epochs.key(other_user))


async def test_a_writer_waits_for_a_reader_that_is_leaving_a_copy(
    ledger: EpochLedger, user: UserId
) -> None:
    """The ledger of these tests keeps what `EpochSource.hold` promises."""

    async def write() -> None:
        async with ledger.change(user, "new"):
            pass

    async with ledger.hold(user) as epoch:
        writing = asyncio.create_task(write())
        await settled(writing)
        assert epoch == ledger.epochs[user] == OLD
    await writing
    assert ledger.epochs[user] == NEW


async def test_an_entry_stamped_before_a_change_does_not_match_after_it(
    redis_answers: RedisAnswerCache,
    epochs: RedisEpochs,
    ledger: EpochLedger,
    clock: ManualClock,
    user: UserId,
) -> None:
    key = answer_key(user, Question("What is grace?"), "pipeline")
    await redis_answers.store(key, entry(clock, OLD))
    assert (await redis_answers.look(user, key)).epoch == OLD
    async with ledger.change(user, "new"):
        await epochs.announce(user, NEW)
    await epochs.confirm(user, NEW)
    found = await redis_answers.look(user, key)
    assert found.entry is not None
    assert (found.entry.epoch, found.epoch) == (OLD, NEW)
