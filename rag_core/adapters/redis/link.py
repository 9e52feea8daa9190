"""The one way to Redis: within the request's time allowance, behind a breaker, never retried."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NoReturn, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, RedisError, ResponseError

from rag_core.clock import Clock
from rag_core.errors import CacheUnavailable, ConfigurationError
from rag_core.guard.allowance import note_failure, seconds_left, spend
from rag_core.guard.breaker import Breaker

T = TypeVar("T")

CALL_TIMEOUT_S = 0.05
"""For calls outside of a request's allowance."""

CONCURRENT_CALLS = 8
"""More would only queue in the server; waiting here does not count as the server's slowness."""

# A timer that fires this late says that our own event loop was busy, not that Redis is slow.
LATE = 1.1

# The last three: a reply of a shape that the client's own parsers trip over.
_FAILURES = (RedisError, OSError, ValueError, TypeError, AttributeError)


class RedisLink:
    """A client whose every call ends in time, as a reply or as CacheUnavailable."""

    def __init__(
        self, client: Redis, *, breaker: Breaker, call_timeout_s: float = CALL_TIMEOUT_S
    ) -> None:
        self.client = client
        self.run_id = b""
        """Random id of the server process that answers; a restart or fail-over changes it."""
        self._breaker = breaker
        self.call_timeout_s = call_timeout_s
        self._turns = asyncio.Semaphore(CONCURRENT_CALLS)
        self._probe: asyncio.Task[None] | None = None

    async def call(self, command: Awaitable[T], *, timeout_s: float | None = None) -> T:
        """The reply to `command`, a coroutine of this link's client.

        Args:
            timeout_s: for a call that the allowance around it does not pay for.

        Raises:
            CacheUnavailable: no reply in time, an error reply, or the breaker is open.
        """
        try:
            async with self._turns:
                if timeout_s is not None:
                    return await self._reply(command, timeout_s)
                began = time.monotonic()
                try:
                    return await self._reply(command, seconds_left(self.call_timeout_s))
                finally:
                    spend(time.monotonic() - began)
        finally:
            if asyncio.iscoroutine(command):
                command.close()  # it may never have begun

    async def _reply(self, command: Awaitable[T], limit_s: float) -> T:
        if self._breaker.state != "closed":
            self._skip()
        if limit_s <= 0:
            raise CacheUnavailable("the request's time for Redis is used up")
        began = time.monotonic()
        try:
            async with asyncio.timeout(limit_s):
                reply = await command
        except ResponseError as error:  # Redis is there, but full or asked wrongly
            raise CacheUnavailable(f"Redis refused: {error}") from error
        except _FAILURES as error:  # TimeoutError is an OSError
            if not isinstance(error, TimeoutError) or self._was_slow(began, limit_s):
                self._breaker.failed()
                note_failure()
            raise CacheUnavailable(f"Redis failed: {type(error).__name__}: {error}") from error
        self._breaker.succeeded()
        return reply

    def _was_slow(self, began: float, limit_s: float) -> bool:
        """Whether a timeout is the server's: it had its time, and our timer was not late."""
        had_its_time = limit_s >= 0.5 * self.call_timeout_s
        return had_its_time and time.monotonic() - began < limit_s * LATE

    async def connected(self) -> None:
        """Make sure that `run_id` is known, by a first call if there was none yet."""
        if not self.run_id:
            await self.call(self.client.ping())

    async def warm(self) -> None:
        """Open the connections before the first request needs them, if the server is up."""
        pings = (self.call(self.client.ping(), timeout_s=1.0) for _ in range(CONCURRENT_CALLS))
        await asyncio.gather(*pings, return_exceptions=True)

    async def aclose(self) -> None:
        """Close all connections."""
        if self._probe and not self._probe.done():
            self._probe.cancel()
            await asyncio.gather(self._probe, return_exceptions=True)
        await self.client.aclose()
        await self.client.connection_pool.disconnect()

    async def identify(self, connection: AbstractConnection) -> None:
        """Runs on each new connection: learn which server process answers."""
        await connection.on_connect()
        await connection.send_command("INFO", "server")
        reply = await connection.read_response(disable_decoding=True)
        if not isinstance(reply, bytes):
            raise ConnectionError("INFO was answered with something else")
        found = (line for line in reply.splitlines() if line.startswith(b"run_id:"))
        self.run_id = next(found, b"").removeprefix(b"run_id:")

    def _skip(self) -> NoReturn:
        """Leave Redis alone; test a broken link in the background, so that no request waits."""
        idle = self._probe is None or self._probe.done()
        if idle and self._breaker.state != "closed" and self._breaker.admit():
            self._probe = asyncio.create_task(self._ping())
        note_failure()
        raise CacheUnavailable("Redis is left alone: it was slow or failed just now")

    async def _ping(self) -> None:
        try:
            async with asyncio.timeout(self.call_timeout_s):
                answered = await self.client.ping()
        except _FAILURES:
            answered = False
        except asyncio.CancelledError:
            self._breaker.abandoned()
            raise
        if answered:
            self._breaker.succeeded()
        else:
            self._breaker.failed()


@asynccontextmanager
async def open_link(
    url: str,
    *,
    clock: Clock,
    breaker: Breaker | None = None,
    call_timeout_s: float = CALL_TIMEOUT_S,
    make: Callable[..., RedisLink] = RedisLink,
) -> AsyncIterator[RedisLink]:
    """A link to the server at `url`, which need not be up.

    Args:
        make: RedisLink, or a kind of it that a trial makes trouble with.

    Raises:
        ConfigurationError: the URL cannot be understood.
    """
    try:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=CONCURRENT_CALLS + 1,
            timeout=None,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=None,
            socket_connect_timeout=None,
        )
    except ValueError as error:
        raise ConfigurationError("RAG_REDIS_URL", f"cannot be parsed: {error}") from error
    breaker = breaker or Breaker("redis", clock=clock, open_s=1.0, probes=1, consecutive=True)
    link = make(Redis.from_pool(pool), breaker=breaker, call_timeout_s=call_timeout_s)
    pool.connection_kwargs["redis_connect_func"] = link.identify
    try:
        await link.warm()
        yield link
    finally:
        await link.aclose()
