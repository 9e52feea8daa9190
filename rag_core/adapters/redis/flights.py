"""Single-flight over Redis: a lease with a fencing token, and the answer passed on through it."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from rag_core.adapters.redis.link import LATE, RedisLink
from rag_core.answer import Answer
from rag_core.cache.entry_codec import decode_answer, encode
from rag_core.cache.flights import Work
from rag_core.clock import Clock
from rag_core.errors import CacheUnavailable, ProviderError, ProviderUnavailable
from rag_core.guard.allowance import has_failed

LEASE_S = 1.0
"""A leader that has not renewed for so long is taken for dead."""

RESULT_S = 2.0
"""How long a result waits for its followers."""

_POLL_S = 0.05

_LEADING: Final = b"L"
_DONE: Final = b"D"
_FAILED: Final = b"F"

_RENEW = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
"""
# Only the holder of the token may land: a leader that slept past its lease comes too late.
_LAND = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
"""


class RedisFlights:
    """FleetFlights through one key a flight: `L`token, then `D`answer or `F`reason."""

    def __init__(self, link: RedisLink, *, clock: Clock, lease_s: float = LEASE_S) -> None:
        self._link = link
        self._clock = clock
        self._lease_s = lease_s
        # Generating takes seconds anyway: a poll may take longer than a request's other calls.
        self._call_s = lease_s / 4
        self._renew = link.client.register_script(_RENEW)
        self._land = link.client.register_script(_LAND)

    async def run(self, key: str, work: Work) -> tuple[Answer, bool]:
        """See `FleetFlights`; without Redis, just do the work."""
        token = _LEADING + secrets.token_bytes(16)
        board = self._board_at_once
        while not has_failed():
            try:
                held = await board(key, token)
            except CacheUnavailable:
                break
            if held in (None, token):
                return await self._lead(key, token, work), True
            if held[:1] == _FAILED:
                raise ProviderUnavailable(held[1:].decode(errors="replace"))
            if held[:1] == _DONE and (answer := decode_answer(held[1:])):
                return answer, False
            board = self._board
            await self._clock.sleep(_POLL_S)
        return await work(), True

    async def _board_at_once(self, key: str, token: bytes) -> bytes | None:
        """`_board` for a request that has not waited yet, and shall not wait long for Redis.

        When the timer was late, it was this process that was busy: then once more.
        """
        began = time.monotonic()
        try:
            return await self._board(key, token, timeout_s=self._link.call_timeout_s)
        except CacheUnavailable:
            if time.monotonic() - began < LATE * self._link.call_timeout_s:
                raise
        return await self._board(key, token)

    async def _board(
        self, key: str, token: bytes, *, timeout_s: float | None = None
    ) -> bytes | None:
        """What is in the flight's key; None when it was empty and is now ours."""
        command = self._link.client.set(key, token, nx=True, get=True, px=self._ms(self._lease_s))
        held = await self._link.call(command, timeout_s=timeout_s or self._call_s)
        return held if isinstance(held, bytes) else None

    async def _lead(self, key: str, token: bytes, work: Work) -> Answer:
        try:
            async with self._renewed(key, token):
                answer = await work()
        except (ProviderUnavailable, ProviderError) as error:
            await self._land_as(key, token, _FAILED + str(error).encode(), self._lease_s)
            raise
        except asyncio.CancelledError:
            # Whoever follows takes over now, not when the lease ends.
            await asyncio.shield(self._land_as(key, token, b"", 0.001))
            raise
        await self._land_as(key, token, _DONE + encode(answer), RESULT_S)
        return answer

    @asynccontextmanager
    async def _renewed(self, key: str, token: bytes) -> AsyncIterator[None]:
        """Keep the lease alive while the block runs."""
        beat = asyncio.create_task(self._beat(key, token))
        try:
            yield
        finally:
            beat.cancel()
            await asyncio.gather(beat, return_exceptions=True)

    async def _beat(self, key: str, token: bytes) -> None:
        while True:
            await self._clock.sleep(self._lease_s / 4)
            with suppress(CacheUnavailable):
                await self._link.call(
                    self._renew(keys=[key], args=[token, self._ms(self._lease_s)]),
                    timeout_s=self._call_s,
                )

    async def _land_as(self, key: str, token: bytes, value: bytes, keep_s: float) -> None:
        with suppress(CacheUnavailable):
            await self._link.call(
                self._land(keys=[key], args=[token, value, self._ms(keep_s)]),
                timeout_s=self._call_s,
            )

    @staticmethod
    def _ms(seconds: float) -> int:
        return max(1, int(seconds * 1000))
