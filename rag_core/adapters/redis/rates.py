"""Rate limits of all processes, on Redis: all windows of a request in one script.

The windows are `limits`' own moving windows, by its own Lua: each is a list of the times at which
requests were let in. As the library calls them they cost a round trip each, twice where it is to
say what is left, and leave a request that the last one refuses counted in those before. Here its
two scripts are functions of one, which asks all windows before it counts in any, by the server's
clock. In a cluster a script sees one node: there the user's windows come first, and everyone's are
asked only of a request for which those have room.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from rag_core.adapters.redis.client import RedisClient
from rag_core.adapters.redis.cluster import ClusterClient
from rag_core.adapters.redis.script import Script
from rag_core.cache.keys import PREFIX, user_key
from rag_core.clock import Clock
from rag_core.domain.user import UserId
from rag_core.errors import CacheUnavailable
from rag_core.throttle.rates import Count, RateLimit, Standing

_AROUND = """
local function look(KEYS, ARGV)
    {look}
end
local function take(KEYS, ARGV)
    {take}
end
local now, taking, room, reply = tonumber(ARGV[1]), ARGV[2] == '1', true, {{0}}
if not now then
    local time = redis.call('TIME')
    now = time[1] + time[2] / 1000000
end
for at, key in ipairs(KEYS) do
    local amount, seconds = tonumber(ARGV[2 * at + 1]), tonumber(ARGV[2 * at + 2])
    local stored = math.min(amount, redis.call('LLEN', key))  -- the search goes no further
    local oldest = tonumber(redis.call('LINDEX', key, stored - 1))
    local found = oldest and oldest >= now - seconds and {{oldest, stored}}
        or look({{key}}, {{now - seconds, stored}}) or {{now, 0}}
    reply[2 * at] = found[2]
    reply[2 * at + 1] = found[2] > 0 and math.max(0, math.ceil(1000 * (found[1] + seconds - now)))
        or 0
    room = room and found[2] < amount
end
if taking and room then
    reply[1] = 1
    for at, key in ipairs(KEYS) do
        local amount, seconds = ARGV[2 * at + 1], ARGV[2 * at + 2]
        take({{key}}, {{now, amount, seconds, 1}})
        reply[2 * at] = reply[2 * at] + 1
        if reply[2 * at] == 1 then reply[2 * at + 1] = 1000 * seconds end
    end
end
return reply
"""


class RedisRateStore:
    """RateStore by the server's clock.

    Args:
        clock: in place of the server's, for tests.
    """

    def __init__(self, redis: RedisClient, *, clock: Clock | None = None) -> None:
        self._redis, self._clock = redis, clock
        self._script = _script()
        self._apart = isinstance(redis.driver, ClusterClient)

    async def take(self, user: UserId, limits: Sequence[RateLimit]) -> Count:
        """See `RateStore`."""
        standings: tuple[Standing, ...] = ()
        for group in self._groups(limits):
            count = await self._run(user, group, taking=True)
            standings += count.standings
            if not count.counted:
                return Count(False, standings)
        return Count(True, standings)

    async def look(self, user: UserId, limits: Sequence[RateLimit]) -> tuple[Standing, ...]:
        """See `RateStore`."""
        counts = [await self._run(user, group, taking=False) for group in self._groups(limits)]
        return tuple(standing for count in counts for standing in count.standings)

    def _groups(self, limits: Sequence[RateLimit]) -> list[list[RateLimit]]:
        """Limits whose windows one script sees; a user's come first."""
        if not self._apart:
            return [list(limits)]
        groups = [[each for each in limits if each.scope == scope] for scope in ("user", "all")]
        return [group for group in groups if group]

    async def _run(self, user: UserId, limits: Sequence[RateLimit], *, taking: bool) -> Count:
        keys = [_key(user, limit) for limit in limits]
        sizes = [size for limit in limits for size in (limit.amount, limit.seconds)]
        now = repr(self._clock.now()) if self._clock else ""
        return _count(limits, await self._script.run(self._redis, keys, now, int(taking), *sizes))


def _key(user: UserId, limit: RateLimit) -> str:
    if limit.scope == "user":
        return user_key(user, "rate", limit.window)
    return f"{PREFIX}:{{rates:all}}:{limit.window}"


def _count(limits: Sequence[RateLimit], reply: list[Any]) -> Count:
    if len(reply) != 1 + 2 * len(limits) or not all(isinstance(each, int) for each in reply):
        raise CacheUnavailable("Redis failed: its reply to a script makes no sense")
    counted, *numbers = reply
    pairs = zip(limits, numbers[::2], numbers[1::2], strict=True)
    standings = (Standing(limit, used, frees_ms / 1000) for limit, used, frees_ms in pairs)
    return Count(bool(counted), tuple(standings))


@cache
def _script() -> Script:
    # Takes a tenth of a second to import, and is not needed behind a gateway.
    from limits.aio.storage.redis.bridge import RedisBridge

    look, take = RedisBridge.SCRIPT_MOVING_WINDOW, RedisBridge.SCRIPT_ACQUIRE_MOVING_WINDOW
    return Script(_AROUND.format(look=_text(look), take=_text(take)))


def _text(script: bytes | str) -> str:
    return script.decode() if isinstance(script, bytes) else script
