"""The state of a breaker in one key of Redis, for a whole fleet.

Whoever changes it names what was there before, and a script puts the new state there only if it
still is: of several who see a probe due, one begins it. The rules are not in the scripts but in
`rag_core.guard.circuit`, once, for this store and for any other. Times are the server's.
"""

from __future__ import annotations

from typing import Final

import msgspec

from rag_core.adapters.redis.client import CALL_TIMEOUT_S, RedisClient
from rag_core.cache.keys import PREFIX
from rag_core.errors import CacheUnavailable
from rag_core.guard.breaker import Held
from rag_core.guard.circuit import Circuit
from rag_core.guard.time_budget import TimeBudget

KEPT_S = 86_400
"""Seconds for which the state of a dependency that nobody calls is kept."""

_READ: Final = "return {0, redis.call('GET', KEYS[1]) or '', redis.call('TIME')}"
_SWAP: Final = """
local held, swapped = redis.call('GET', KEYS[1]) or '', 0
if held == ARGV[1] then
    held, swapped = ARGV[2], 1
    redis.call('SET', KEYS[1], held, 'EX', ARGV[3])
end
return {swapped, held, redis.call('TIME')}
"""


class RedisBreakerStore:
    """BreakerStore of the breaker `name`.

    Args:
        timeout_s: for each call. It is not the request's time budget for Redis: what a breaker
            guards takes far longer.
    """

    def __init__(self, redis: RedisClient, name: str, *, timeout_s: float = CALL_TIMEOUT_S) -> None:
        self._redis = redis
        self._key = f"{PREFIX}:{{breaker:{name}}}:circuit"
        self._timeout_s = timeout_s

    async def read(self) -> Held:
        """See `BreakerStore`."""
        return await self._script(_READ)

    async def swap(self, held: Held, circuit: Circuit) -> Held:
        """See `BreakerStore`."""
        after = msgspec.json.encode(circuit)
        return await self._script(_SWAP, _bytes(held.version), after, KEPT_S)

    async def _script(self, script: str, *arguments: bytes | int) -> Held:
        with TimeBudget(self._timeout_s).applied():
            reply = await self._redis.execute("EVAL", script, 1, self._key, *arguments)
        return _held(reply)


def _held(reply: object) -> Held:
    match reply:
        case [int(swapped), bytes(held), [bytes(seconds), bytes(millionths)]]:
            now_s = int(seconds) + int(millionths) / 1e6
            return Held(_circuit(held), now_s, version=held, swapped=bool(swapped))
    raise CacheUnavailable("Redis failed: its reply to a script makes no sense")


def _circuit(held: bytes) -> Circuit:
    try:
        return msgspec.json.decode(held, type=Circuit)
    except msgspec.DecodeError:  # nothing yet, or not ours
        return Circuit()


def _bytes(version: object) -> bytes:
    assert isinstance(version, bytes), "as this store's own `read` and `swap` say"
    return version
