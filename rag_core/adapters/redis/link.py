"""The one way to Redis: within the request's time allowance, behind a breaker, never retried."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from rag_core.clock import Clock
from rag_core.errors import CacheUnavailable, ConfigurationError
from rag_core.guard.allowance import seconds_left, spend
from rag_core.guard.breaker import Breaker

T = TypeVar("T")

CALL_TIMEOUT_S = 0.05
"""For calls outside of a request's allowance."""

CONCURRENT_CALLS = 32
"""More would only queue in the server; waiting here does not count as the server's slowness."""

# A timer that fires this late says that our own event loop was busy, not that Redis is slow.
_LATE = 1.5


class RedisLink:
    """A client whose every call ends in time, as a reply or as CacheUnavailable."""

    def __init__(self, client: Redis, *, breaker: Breaker) -> None:
        self.client = client
        self.run_id = b""
        """Random id of the server process that answers; a restart or fail-over changes it."""
        self._breaker = breaker
        self._turns = asyncio.Semaphore(CONCURRENT_CALLS)
        self._probe: asyncio.Task[None] | None = None

    async def call(self, command: Awaitable[T], *, timeout_s: float | None = None) -> T:
        """The reply to `command`, a coroutine of this link's client.

        Raises:
            CacheUnavailable: no reply in time, an error reply, or the breaker is open.
        """
        async with self._turns:
            limit_s = seconds_left(CALL_TIMEOUT_S) if timeout_s is None else timeout_s
            if limit_s <= 0 or self._breaker.state != "closed":
                self._skip(command)
            began = time.monotonic()
            try:
                async with asyncio.timeout(limit_s):
                    return await command
            except ResponseError as error:  # Redis is there, but full or asked wrongly
                raise CacheUnavailable(f"Redis refused: {error}") from error
            except (RedisError, OSError, ValueError) as error:  # TimeoutError is an OSError
                if time.monotonic() - began < limit_s * _LATE:
                    self._breaker.failed()
                raise CacheUnavailable(f"Redis failed: {type(error).__name__}: {error}") from error
            finally:
                spend(time.monotonic() - began)

    async def connected(self) -> None:
        """Make sure that `run_id` is known, by a first call if there was none yet."""
        if not self.run_id:
            await self.call(self.client.ping())

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
        reply: bytes = await connection.read_response(disable_decoding=True)
        for line in bytes(reply).splitlines():
            if line.startswith(b"run_id:"):
                self.run_id = line.partition(b":")[2].strip()

    def _skip(self, command: Awaitable[T]) -> None:
        """Leave Redis alone; test a broken link in the background, so that no request waits."""
        if asyncio.iscoroutine(command):
            command.close()
        idle = self._probe is None or self._probe.done()
        if idle and self._breaker.state != "closed" and self._breaker.admit():
            self._probe = asyncio.create_task(self._ping())
        raise CacheUnavailable("Redis is left alone: it was slow or failed just now")

    async def _ping(self) -> None:
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                await self.client.ping()
        except (RedisError, OSError, ValueError):
            self._breaker.failed()
        except asyncio.CancelledError:
            self._breaker.abandoned()
            raise
        else:
            self._breaker.succeeded()


@asynccontextmanager
async def open_link(
    url: str, *, clock: Clock, breaker: Breaker | None = None
) -> AsyncIterator[RedisLink]:
    """A link to the server at `url`, which need not be up.

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
    breaker = breaker or Breaker("redis", clock=clock, open_s=1.0, probes=1)
    link = RedisLink(Redis.from_pool(pool), breaker=breaker)
    pool.connection_kwargs["redis_connect_func"] = link.identify
    try:
        yield link
    finally:
        await link.aclose()
