"""Single-flight over Redis: a lease with a fencing token, and the answer passed on through it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from contextvars import Context
from typing import Final

from rag_core.adapters.redis.client import RedisClient
from rag_core.adapters.redis.cluster import ClusterClient
from rag_core.cache.codec import decode_answer, encode
from rag_core.cache.single_flight import FleetWork
from rag_core.cancelling import cancel_for_good
from rag_core.domain.answer import Answer
from rag_core.errors import CacheUnavailable, ProviderError, ProviderUnavailable
from rag_core.guard.time_budget import TimeBudget

LEASE_S = 1.2
"""Seconds after which a leader that has not renewed its lease is taken for dead: whoever asks again
after a crash waits so long, and then for the answer."""

RENEWALS = 3
"""In the time of a lease: it outlives one that is lost or late."""

RESULT_S = 2.0
"""Seconds for which a result is kept for its followers."""

FAILURE_S = 1.0
"""Seconds for which a failure is kept for them; or as long as a lease, if that is less."""

_POLL_S = 0.05

_LEADING: Final = b"L"
_DONE: Final = b"D"
_FAILED: Final = b"F"

# Milliseconds, and the token of each key.
_RENEW = """
for at, key in ipairs(KEYS) do
    if redis.call('GET', key) == ARGV[at + 1] then redis.call('PEXPIRE', key, ARGV[1]) end
end
"""
# Only the holder of the token may land: a leader that slept past its lease comes too late.
_LAND = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
"""


class RedisFleet:
    """FleetFlight through one key a flight: `L`token, then `D`answer or `F`reason.

    Leases end by the clock of Redis, so by that of the machine, whatever the application's says.
    All that a process holds are renewed by one call; on a cluster, which has them in many places,
    by one each.
    """

    def __init__(self, redis: RedisClient, *, lease_s: float = LEASE_S) -> None:
        self._redis = redis
        self._lease_s = lease_s
        self._apart = isinstance(redis.driver, ClusterClient)
        self._held: dict[bytes, str] = {}
        """The key of each lease that is held, by its token."""
        self._renewing: asyncio.Task[None] | None = None

    async def run(self, key: str, work: FleetWork) -> tuple[Answer, bool]:
        """As `FleetFlight` says; without Redis, the work is done here.

        Raises:
            ProviderUnavailable: the process that led the flight got no completion.
        """
        token = _LEADING + secrets.token_bytes(16)
        try:
            answer = await self._follow(key, token)
        except CacheUnavailable:
            return await work(), True
        if answer is not None:
            return answer, False
        return await self._lead(key, token, work), True

    async def _follow(self, key: str, token: bytes) -> Answer | None:
        """The answer of whoever leads the flight; None when that is for us to do."""
        held = await self._board(key, token)
        while held not in (None, token):
            if held[:1] == _FAILED:
                raise ProviderUnavailable(held[1:].decode(errors="replace"))
            if held[:1] == _DONE and (answer := decode_answer(held[1:])):
                return answer
            await asyncio.sleep(_POLL_S)
            # Generating takes seconds anyway: a poll has a budget of its own.
            with TimeBudget(self._lease_s).applied():
                held = await self._board(key, token)
        return None

    async def _board(self, key: str, token: bytes) -> bytes | None:
        """What is in the flight's key; None when it was empty and is now ours."""
        ends_ms = self._ms(self._lease_s)
        held = await self._redis.execute("SET", key, token, "PX", ends_ms, "NX", "GET", get=True)
        return held if isinstance(held, bytes) else None

    async def _lead(self, key: str, token: bytes, work: FleetWork) -> Answer:
        try:
            async with self._renewed(key, token):
                answer = await work()
        except (ProviderUnavailable, ProviderError) as error:
            kept_s = min(FAILURE_S, self._lease_s)
            await self._land(key, token, _FAILED + str(error).encode(), kept_s)
            raise
        except BaseException:
            # Cancelled, or broken: whoever follows takes over now, not when the lease ends.
            await asyncio.shield(self._land(key, token, b"", 0.001))
            raise
        await self._land(key, token, _DONE + encode(answer), RESULT_S)
        return answer

    @asynccontextmanager
    async def _renewed(self, key: str, token: bytes) -> AsyncIterator[None]:
        """Keep the lease alive while the block runs."""
        self._held[token] = key
        # For all requests: without the deadline and the trace of one; anew, should it have broken.
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._renew(), context=Context())
        try:
            yield
        finally:
            del self._held[token]
            if not self._held:
                renewing, self._renewing = self._renewing, None
                await cancel_for_good(renewing)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._lease_s / RENEWALS)
            held = list(self._held.items())
            groups = [[each] for each in held] if self._apart else [held]
            await asyncio.gather(*map(self._extend, groups))

    async def _extend(self, held: Sequence[tuple[bytes, str]]) -> None:
        """Renew these leases; where that takes too long, the next time comes before they end."""
        keys, tokens = [key for _, key in held], [token for token, _ in held]
        with TimeBudget(self._lease_s / RENEWALS).applied():
            await self._script(_RENEW, keys, self._ms(self._lease_s), *tokens)

    async def _land(self, key: str, token: bytes, value: bytes, keep_s: float) -> None:
        with TimeBudget(self._lease_s).applied():
            await self._script(_LAND, [key], token, value, self._ms(keep_s))

    async def _script(self, script: str, keys: list[str], *arguments: bytes | int) -> None:
        """Run a script on the keys; where it is lost, their leases simply end."""
        with suppress(CacheUnavailable):
            await self._redis.execute("EVAL", script, len(keys), *keys, *arguments)

    @staticmethod
    def _ms(seconds: float) -> int:
        return max(1, int(seconds * 1000))
