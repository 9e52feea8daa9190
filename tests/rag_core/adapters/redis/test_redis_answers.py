"""The answer cache on Redis: one round trip, and whatever lies under its keys is survived."""

from __future__ import annotations

from collections import Counter

import pytest
from rag_core.adapters.redis.epochs import RedisEpochs
from rag_core.adapters.redis.link import RedisLink, open_link
from rag_core.cache.entry_codec import VERSION, encode
from redis.crc import key_slot

from rag_core.adapters.redis.answers import RedisAnswerCache
from rag_core.cache.epochs import Epoch
from rag_core.cache.keys import answer_key
from rag_core.clock import ManualClock
from rag_core.errors import CacheUnavailable
from rag_core.question import Question
from rag_core.user import UserId
from tests.rag_core.adapters.redis.fake_server import FakeServer
from tests.rag_core.cache.parts import EpochLedger, entry


def key_of(user: UserId) -> str:
    return answer_key(user, Question("What is grace?"), "pipeline")


async def commands_so_far(link: RedisLink) -> Counter[str]:
    """How often the server was given each command, this question left out."""
    found = await link.client.info("commandstats")
    counts = {name.removeprefix("cmdstat_"): stats["calls"] for name, stats in found.items()}
    return Counter({name: calls for name, calls in counts.items() if name != "info"})


async def test_a_hit_on_a_live_lease_is_one_command_and_asks_no_database(
    redis_answers: RedisAnswerCache,
    link: RedisLink,
    user: UserId,
    clock: ManualClock,
    ledger: EpochLedger,
) -> None:
    ledger.epochs[user] = Epoch("epoch-1")
    await redis_answers.store(key_of(user), entry(clock))
    await redis_answers.look(user, key_of(user))
    asked, before = ledger.holds, await commands_so_far(link)
    found = await redis_answers.look(user, key_of(user))
    assert await commands_so_far(link) - before == Counter({"mget": 1})
    assert ledger.holds == asked
    assert found.entry == entry(clock)
    assert found.epoch == "epoch-1"


async def test_entry_and_epoch_lie_in_one_slot_of_a_cluster(
    epochs: RedisEpochs, user: UserId
) -> None:
    """MGET over two slots is refused there."""
    slots = {key_slot(key.encode()) for key in (key_of(user), epochs.key(user))}
    assert len(slots) == 1


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\x00",
        b"garbage",
        VERSION,
        VERSION + b"\xc1",
        VERSION + b"\x81\xa6answer\x01",
        VERSION + b"\x81\xa1x" + b"\x91" * 100_000,
        b"\xff" * 4096,
    ],
    ids=["empty", "null", "text", "cut", "reserved", "wrong type", "deep", "ones"],
)
async def test_garbage_under_a_key_is_a_miss(
    redis_answers: RedisAnswerCache, link: RedisLink, user: UserId, value: bytes
) -> None:
    await link.client.set(key_of(user), value, ex=60)
    assert (await redis_answers.look(user, key_of(user))).entry is None


async def test_an_entry_of_another_version_is_a_miss_and_is_replaced(
    redis_answers: RedisAnswerCache, link: RedisLink, user: UserId, clock: ManualClock
) -> None:
    other = bytes([VERSION[0] + 1]) + encode(entry(clock))[1:]
    await link.client.set(key_of(user), other, ex=60)
    assert (await redis_answers.look(user, key_of(user))).entry is None
    await redis_answers.store(key_of(user), entry(clock))
    assert (await redis_answers.look(user, key_of(user))).entry == entry(clock)


async def test_a_key_of_another_kind_is_a_miss(
    redis_answers: RedisAnswerCache,
    link: RedisLink,
    epochs: RedisEpochs,
    user: UserId,
    ledger: EpochLedger,
) -> None:
    ledger.epochs[user] = Epoch("epoch-1")
    for key in (key_of(user), epochs.key(user)):
        await link.client.rpush(key, "a", "list")
        await link.client.expire(key, 60)
    found = await redis_answers.look(user, key_of(user))
    await link.client.delete(key_of(user), epochs.key(user))
    assert (found.entry, found.epoch) == (None, "epoch-1")


async def test_an_entry_ends_on_the_server_with_its_hard_ttl(
    redis_answers: RedisAnswerCache, link: RedisLink, user: UserId, clock: ManualClock
) -> None:
    await redis_answers.store(key_of(user), entry(clock, hard_s=600))
    left_ms = await link.client.pttl(key_of(user))
    assert 0 < left_ms <= 600_000


async def test_size_counts_the_bytes_of_values(
    redis_answers: RedisAnswerCache, user: UserId, clock: ManualClock
) -> None:
    before = (await redis_answers.size()).size_bytes
    await redis_answers.store(key_of(user), entry(clock))
    after = (await redis_answers.size()).size_bytes
    assert before is not None
    assert after == before + len(encode(entry(clock)))


async def test_of_a_server_with_very_many_keys_the_size_is_not_known(
    fake: FakeServer, clock: ManualClock, ledger: EpochLedger
) -> None:
    """Counting them would disturb it."""
    async with open_link(fake.url, clock=clock, call_timeout_s=30) as link:
        answers = RedisAnswerCache(link, RedisEpochs(link, ledger, clock=clock), clock=clock)
        fake.script = lambda name: b":1000000\r\n" if name == b"DBSIZE" else None
        size = await answers.size()
    assert (size.entries, size.size_bytes) == (None, None)
    assert not fake.commands[b"SCAN"]


@pytest.mark.parametrize("reply", [b"+OK\r\n", b":5\r\n", b"*1\r\n_\r\n", b"*2\r\n:1\r\n:2\r\n"])
async def test_a_reply_of_another_shape_is_no_entry_but_an_unavailable_cache(
    fake: FakeServer, clock: ManualClock, ledger: EpochLedger, user: UserId, reply: bytes
) -> None:
    async with open_link(fake.url, clock=clock, call_timeout_s=30) as link:
        answers = RedisAnswerCache(link, RedisEpochs(link, ledger, clock=clock), clock=clock)
        fake.script = lambda name: reply if name == b"MGET" else None
        with pytest.raises(CacheUnavailable):
            await answers.look(user, key_of(user))
