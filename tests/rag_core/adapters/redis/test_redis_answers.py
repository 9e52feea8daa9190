"""The answer cache on Redis: one command each way, and whatever lies under its keys is survived."""

from __future__ import annotations

import pytest

from rag_core.adapters.redis import RedisAnswerCache, RedisClient, open_client
from rag_core.cache import VERSION, answer_key, encode
from rag_core.clock import ManualClock
from rag_core.domain import Question, UserId
from rag_core.errors import CacheUnavailable
from tests.rag_core.adapters.redis.fake_server import FakeServer
from tests.rag_core.cache.parts import PATIENCE_S, cached_answer


def key_of(user: UserId) -> str:
    return answer_key(user, Question("What is grace?"), "pipeline")


async def test_a_look_and_a_put_are_one_command_each(
    fake: FakeServer, clock: ManualClock, user: UserId
) -> None:
    async with open_client(fake.url, call_timeout_s=PATIENCE_S) as client:
        answers = RedisAnswerCache(client, clock=clock)
        fake.commands.clear()
        await answers.get(key_of(user))
        await answers.put(key_of(user), cached_answer(clock))
        assert dict(fake.commands) == {b"GET": 1, b"SET": 1}


async def test_garbage_under_a_key_is_a_miss(
    redis_answers: RedisAnswerCache, client: RedisClient, user: UserId, subtests: pytest.Subtests
) -> None:
    for value in [
        b"",
        b"\x00",
        b"garbage",
        VERSION,
        VERSION + b"\xc1",
        VERSION + b"\x81\xa6answer\x01",
        VERSION + b"\x81\xa1x" + b"\x91" * 100_000,
        b"\xff" * 4096,
    ]:
        with subtests.test(value=value):
            await client.execute("SET", key_of(user), value, "EX", 60)
            assert await redis_answers.get(key_of(user)) is None


async def test_an_answer_of_another_version_is_a_miss_and_is_replaced(
    redis_answers: RedisAnswerCache, client: RedisClient, user: UserId, clock: ManualClock
) -> None:
    other = bytes([VERSION[0] + 1]) + encode(cached_answer(clock))[1:]
    await client.execute("SET", key_of(user), other, "EX", 60)
    assert await redis_answers.get(key_of(user)) is None
    await redis_answers.put(key_of(user), cached_answer(clock))
    assert await redis_answers.get(key_of(user)) == cached_answer(clock)


async def test_a_key_of_another_kind_is_an_unavailable_cache_and_the_next_put_mends_it(
    redis_answers: RedisAnswerCache, client: RedisClient, user: UserId, clock: ManualClock
) -> None:
    push = "redis.call('RPUSH', KEYS[1], 'a list') return redis.call('EXPIRE', KEYS[1], 60)"
    await client.execute("EVAL", push, 1, key_of(user))
    with pytest.raises(CacheUnavailable):
        await redis_answers.get(key_of(user))
    assert client.up, "one strange key is no reason to do without Redis"
    await redis_answers.put(key_of(user), cached_answer(clock))
    assert await redis_answers.get(key_of(user)) == cached_answer(clock)


async def test_an_answer_ends_on_the_server_with_its_hard_ttl(
    redis_answers: RedisAnswerCache, client: RedisClient, user: UserId, clock: ManualClock
) -> None:
    await redis_answers.put(key_of(user), cached_answer(clock, hard_s=600))
    assert 0 < await client.execute("PTTL", key_of(user)) <= 600_000


async def test_an_answer_whose_life_is_over_is_not_sent(
    redis_answers: RedisAnswerCache, client: RedisClient, user: UserId, clock: ManualClock
) -> None:
    dead = cached_answer(clock, hard_s=600)
    clock.advance(600)
    await redis_answers.put(key_of(user), dead)
    assert not await client.execute("EXISTS", key_of(user))


async def test_size_counts_the_bytes_of_values(
    redis_answers: RedisAnswerCache, user: UserId, clock: ManualClock
) -> None:
    before = (await redis_answers.size()).size_bytes
    await redis_answers.put(key_of(user), cached_answer(clock))
    after = (await redis_answers.size()).size_bytes
    assert before is not None
    assert after == before + len(encode(cached_answer(clock)))


async def test_of_a_server_with_very_many_keys_the_size_is_not_known(
    fake: FakeServer, clock: ManualClock
) -> None:
    """Counting them would disturb it."""
    async with open_client(fake.url, call_timeout_s=PATIENCE_S) as client:
        fake.script = lambda name: b":1000000\r\n" if name == b"DBSIZE" else None
        size = await RedisAnswerCache(client, clock=clock).size()
    assert (size.entries, size.size_bytes) == (None, None)
    assert not fake.commands[b"SCAN"]


@pytest.mark.parametrize("reply", [b":5\r\n", b"*1\r\n_\r\n", b"*2\r\n:1\r\n:2\r\n", b"#t\r\n"])
async def test_a_reply_of_another_shape_is_no_answer_but_an_unavailable_cache(
    fake: FakeServer, clock: ManualClock, user: UserId, reply: bytes
) -> None:
    async with open_client(fake.url, call_timeout_s=PATIENCE_S) as client:
        fake.script = lambda name: reply if name == b"GET" else None
        with pytest.raises(CacheUnavailable):
            await RedisAnswerCache(client, clock=clock).get(key_of(user))
