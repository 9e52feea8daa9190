"""What every SessionStore does, in memory and on Redis alike."""

from __future__ import annotations

import asyncio

import pytest

from rag_core.adapters.memory import MemorySessions
from rag_core.adapters.redis import RedisClient, RedisSessions
from rag_core.clock import ManualClock
from rag_core.conversation import MOST_SESSIONS, SessionStore, Turn, new_id
from rag_core.domain import UserId

TTL_S = 3_600.0
MOST = 20


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest, clock: ManualClock) -> SessionStore:
    """Every implementation."""
    if request.param == "memory":
        return MemorySessions(clock=clock, most_turns=MOST, ttl_s=TTL_S)
    client: RedisClient = request.getfixturevalue("client")
    return RedisSessions(client, clock=clock, most_turns=MOST, ttl_s=TTL_S)


def turn(text: str, *notes: str) -> Turn:
    return Turn(asked=text, question=f"{text} alone", asked_at=1_700_000_000.25, notes=notes)


async def begun(store: SessionStore, user: UserId, *turns: Turn) -> str:
    session_id = new_id()
    await store.begin(user, session_id)
    for each in turns:
        assert await store.append(user, session_id, each)
    return session_id


async def kept(store: SessionStore, user: UserId, session_id: str) -> tuple[Turn, ...] | None:
    session = await store.read(user, session_id)
    return session.turns if session else None


async def test_turns_come_back_equal_in_every_field_and_in_order(
    store: SessionStore, user: UserId
) -> None:
    turns = (turn("Why?", "grace", "a/b c.md"), turn("Gnade – und дальше?\x00"))
    session_id = await begun(store, user, *turns)
    assert await kept(store, user, session_id) == turns


async def test_a_session_keeps_its_last_turns_alone(store: SessionStore, user: UserId) -> None:
    turns = [turn(str(number)) for number in range(MOST + 3)]
    session_id = await begun(store, user, *turns)
    assert await kept(store, user, session_id) == tuple(turns[3:])


async def test_nobody_reads_or_changes_the_sessions_of_others(
    store: SessionStore, user: UserId, other_user: UserId
) -> None:
    session_id = await begun(store, user, turn("mine"))
    assert await store.read(other_user, session_id) is None
    assert await store.sessions(other_user) == []
    assert not await store.append(other_user, session_id, turn("theirs"))
    assert not await store.reset(other_user, session_id)
    assert not await store.delete(other_user, session_id)
    await store.drop(other_user, session_id, (turn("mine"),))
    await store.forget(other_user)
    assert await kept(store, user, session_id) == (turn("mine"),)


async def test_a_session_that_is_not_used_for_its_lifetime_is_gone(
    store: SessionStore, user: UserId, clock: ManualClock
) -> None:
    session_id, other = await begun(store, user, turn("one")), await begun(store, user)
    clock.advance(TTL_S / 2)
    assert await store.append(user, session_id, turn("two"))
    clock.advance(TTL_S / 2 + 1)
    assert [each.id for each in await store.sessions(user)] == [session_id], "it was used"
    assert not await store.append(user, other, turn("late"))
    clock.advance(TTL_S)
    assert await store.read(user, session_id) is None
    assert not await store.reset(user, session_id)
    assert not await store.delete(user, session_id)
    assert await store.sessions(user) == []


async def test_reset_keeps_the_session_and_delete_does_not(
    store: SessionStore, user: UserId
) -> None:
    session_id = await begun(store, user, turn("one"))
    assert await store.reset(user, session_id)
    assert await kept(store, user, session_id) == ()
    assert await store.append(user, session_id, turn("two"))
    assert await store.delete(user, session_id)
    assert await kept(store, user, session_id) is None
    assert not await store.append(user, session_id, turn("late")), "it does not come back"
    assert not await store.delete(user, session_id)


async def test_what_is_dropped_is_gone_and_the_rest_stays(
    store: SessionStore, user: UserId
) -> None:
    session_id = await begun(store, user, turn("a", "n1"), turn("b", "n2"), turn("a", "n1"))
    await store.drop(user, session_id, (turn("a", "n1"), turn("never")))
    assert await kept(store, user, session_id) == (turn("b", "n2"),)


async def test_the_session_last_used_comes_first_and_of_many_the_oldest_go(
    store: SessionStore, user: UserId, clock: ManualClock
) -> None:
    ids = []
    for _ in range(MOST_SESSIONS + 2):
        clock.advance(1)
        ids.append(await begun(store, user, turn("one")))
    assert [each.id for each in await store.sessions(user)] == ids[:1:-1]
    clock.advance(1)
    await store.append(user, ids[5], turn("two"))
    assert (await store.sessions(user))[0].id == ids[5]
    assert await kept(store, user, ids[0]) is None


async def test_all_sessions_of_a_user_are_forgotten(
    store: SessionStore, user: UserId, other_user: UserId
) -> None:
    mine = [await begun(store, user, turn("one")) for _ in range(3)]
    theirs = await begun(store, other_user, turn("one"))
    await store.forget(user)
    assert [await kept(store, user, each) for each in mine] == [None] * 3
    assert await store.sessions(user) == []
    assert await kept(store, other_user, theirs) == (turn("one"),)


async def test_turns_added_at_once_are_all_kept(store: SessionStore, user: UserId) -> None:
    session_id = await begun(store, user)
    turns = {turn(str(number)) for number in range(10)}
    await asyncio.gather(*(store.append(user, session_id, each) for each in turns))
    assert set(await kept(store, user, session_id) or ()) == turns


async def test_keys_on_redis_carry_the_user_and_expire(
    client: RedisClient, clock: ManualClock, user: UserId
) -> None:
    store = RedisSessions(client, clock=clock, most_turns=MOST, ttl_s=TTL_S)
    session_id = await begun(store, user, turn("one"))
    for key in (f"rag:{{{user}}}:sessions", f"rag:{{{user}}}:session:{session_id}"):
        assert TTL_S - 60 < await client.execute("PTTL", key) / 1000 <= TTL_S
    push = "redis.call('RPUSH', KEYS[1], ARGV[1], ARGV[2])"
    turns = f"rag:{{{user}}}:session:{session_id}"
    await client.execute("EVAL", push, 1, turns, b"\x01garbage", b"\x00")
    assert await kept(store, user, session_id) == (turn("one"),), "what is no turn is none"
