"""Sessions on Redis: a list of turns each, and a set of a user's sessions by when they were used.

All keys of a user have one hash tag, so that a script may touch two of them in a cluster. A session
exists while its id is in the set with a time within the lifetime; the keys expire with it.
"""

from __future__ import annotations

from typing import Any

from rag_core.adapters.redis.client import RedisClient
from rag_core.adapters.redis.keyspace import forget
from rag_core.adapters.redis.script import Script
from rag_core.cache.keys import user_key
from rag_core.clock import Clock
from rag_core.conversation.codec import decode_turn, encode_turn
from rag_core.conversation.sessions import MOST_SESSIONS, Session, Turn
from rag_core.domain.user import UserId

# KEYS: the set, the list; ARGV: the id, now, the lifetime in seconds, and what follows.
_HEAD = """
local set, turns, id, now, ttl = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local used = tonumber(redis.call('ZSCORE', set, id))
local exists = used and used > now - ttl
local function use()
    redis.call('ZADD', set, ARGV[2], id)
    redis.call('PEXPIRE', set, math.ceil(1000 * ttl))
end
"""
_BEGIN = Script(
    _HEAD
    + """
redis.call('ZREMRANGEBYSCORE', set, '-inf', now - ttl)
use()
local many = redis.call('ZCARD', set) - tonumber(ARGV[4])
if many <= 0 then return {} end
local old = redis.call('ZRANGE', set, 0, many - 1)
redis.call('ZREMRANGEBYRANK', set, 0, many - 1)
return old
"""
)
_READ = Script(
    _HEAD
    + """
if not exists then return {} end
return {redis.call('ZSCORE', set, id), redis.call('LRANGE', turns, 0, -1)}
"""
)
_APPEND = Script(
    _HEAD
    + """
if not exists then return 0 end
redis.call('RPUSH', turns, ARGV[4])
redis.call('LTRIM', turns, -tonumber(ARGV[5]), -1)
redis.call('PEXPIRE', turns, math.ceil(1000 * ttl))
use()
return 1
"""
)
_RESET = Script(
    _HEAD
    + """
if not exists then return 0 end
redis.call('UNLINK', turns)
use()
return 1
"""
)
_DELETE = Script(
    _HEAD
    + """
redis.call('UNLINK', turns)
redis.call('ZREM', set, id)
return exists and 1 or 0
"""
)


class RedisSessions:
    """SessionStore that all processes share.

    Args:
        most_turns: of a session.
        ttl_s: seconds for which a session that is not used is kept.
    """

    shared = True

    def __init__(self, redis: RedisClient, *, clock: Clock, most_turns: int, ttl_s: float) -> None:
        self._redis, self._clock = redis, clock
        self._most_turns, self._ttl_s = most_turns, ttl_s

    async def begin(self, user: UserId, session_id: str) -> None:
        """See `SessionStore`."""
        for old in await self._run(_BEGIN, user, session_id, MOST_SESSIONS):
            await self._redis.execute("UNLINK", _turns_key(user, old.decode()))

    async def read(self, user: UserId, session_id: str) -> Session | None:
        """See `SessionStore`."""
        reply = await self._run(_READ, user, session_id)
        if not reply:
            return None
        used_at, kept = reply
        return Session(session_id, float(used_at), _decoded(kept))

    async def append(self, user: UserId, session_id: str, turn: Turn) -> bool:
        """See `SessionStore`."""
        added = await self._run(_APPEND, user, session_id, encode_turn(turn), self._most_turns)
        return bool(added)

    async def drop(self, user: UserId, session_id: str, turns: tuple[Turn, ...]) -> None:
        """See `SessionStore`."""
        for turn in turns:
            await self._redis.execute("LREM", _turns_key(user, session_id), 0, encode_turn(turn))

    async def reset(self, user: UserId, session_id: str) -> bool:
        """See `SessionStore`."""
        return bool(await self._run(_RESET, user, session_id))

    async def delete(self, user: UserId, session_id: str) -> bool:
        """See `SessionStore`."""
        return bool(await self._run(_DELETE, user, session_id))

    async def sessions(self, user: UserId) -> list[Session]:
        """See `SessionStore`."""
        ids = await self._redis.execute("ZRANGE", _set_key(user), 0, -1)
        kept = [await self.read(user, each.decode()) for each in ids]
        return sorted(filter(None, kept), key=lambda each: (-each.used_at, each.id))

    async def forget(self, user: UserId) -> None:
        """See `SessionStore`."""
        await forget(self._redis, user_key(user, "session*"))

    async def _run(self, script: Script, user: UserId, session_id: str, *more: bytes | int) -> Any:
        keys = [_set_key(user), _turns_key(user, session_id)]
        now = repr(self._clock.now())
        return await script.run(self._redis, keys, session_id, now, self._ttl_s, *more)


def _set_key(user: UserId) -> str:
    return user_key(user, "sessions")


def _turns_key(user: UserId, session_id: str) -> str:
    return user_key(user, "session", session_id)


def _decoded(kept: list[bytes]) -> tuple[Turn, ...]:
    return tuple(turn for turn in map(decode_turn, kept) if turn)
