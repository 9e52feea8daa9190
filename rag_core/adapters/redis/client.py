"""The one way to Redis: within the request's time budget, never retried, mended in background."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, TypeVar

from redis.exceptions import RedisError, ResponseError

from rag_core.adapters.redis.connect import Driver, open_driver
from rag_core.cancelling import cancel_for_good
from rag_core.errors import CacheUnavailable
from rag_core.events import BreakerChanged, BreakerState, Listener, ignore
from rag_core.guard.deadline import PatientTimeout
from rag_core.guard.time_budget import budget_left, spend

T = TypeVar("T")

CALL_TIMEOUT_S = 0.05
"""Seconds that a call may take, outside of a request's time budget too."""

CONNECT_TIMEOUT_S = 5.0
"""Seconds for connections made in the background, where nobody waits for them."""

FIRST_CONNECT_TIMEOUT_S = 1.0
"""Seconds for connections made at the start, where somebody waits for them; a call's, if more."""

CONCURRENT_CALLS = 8
"""Calls under way at once: more would queue in the server and look like its slowness."""

OURS_S = 0.005
"""Seconds by which our own loop may be late where a call that took too long is Redis's fault."""

_PAUSES_S = (0.0, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Between attempts to mend; the last one from then on."""

# The last three: a reply of a shape that the client's own parsers trip over.
_FAILURES = (RedisError, OSError, ValueError, TypeError, AttributeError)


class RedisClient:
    """A client whose every call ends in time, as a reply or as CacheUnavailable.

    After one failure Redis is left alone, without waiting, until it has answered on every
    connection again; that is tried in the background, with time enough to connect. A call that may
    have been too slow by our own fault, as our loop was late or it had less than half the usual
    time, is no such failure, unless `CONCURRENT_CALLS` of them follow each other without a reply.

    This is the guard around Redis: the rest of the request's time for it, a breaker, a bulkhead of
    `CONCURRENT_CALLS`. It differs from `rag_core.guard.Guard`, because whatever Redis does can be
    done without it: one failure opens it, no request is spent on a probe, nothing is tried again,
    and whether it is up is each process's own affair, for there is no place to share that in.

    Args:
        listener: gets a `BreakerChanged` when Redis is left alone, and when it is taken back.
    """

    def __init__(
        self,
        driver: Driver,
        *,
        call_timeout_s: float = CALL_TIMEOUT_S,
        listener: Listener = ignore,
    ) -> None:
        self.driver = driver
        self._call_timeout_s = call_timeout_s
        self._listener = listener
        self._turns = asyncio.Semaphore(CONCURRENT_CALLS)
        self._mending: asyncio.Task[None] | None = None
        self._unexplained = 0  # calls too slow by whose fault one cannot say, since the last reply
        self.up = True
        """Whether calls go ahead: not while Redis is left alone, nor after `aclose`."""

    async def execute(self, *command: Any, **options: Any) -> Any:
        """The reply to a command, as `execute("GET", key)`.

        Args:
            options: how the driver is to read the reply; `get=True` for SET … GET.

        Raises:
            CacheUnavailable: no reply in time, an error reply, or Redis is left alone.
        """
        return await self.call(partial(self.driver.execute_command, *command, **options))

    async def call(self, command: Callable[[], Awaitable[T]]) -> T:
        """As `execute`, for whatever `command` asks of the driver; raises what `execute` raises."""
        async with self._turns:
            if not self.up:
                raise CacheUnavailable("Redis is left alone until it answers again")
            limit_s = budget_left(self._call_timeout_s)
            if limit_s <= 0:
                raise CacheUnavailable("the request's time for Redis is used up")
            patience = PatientTimeout(limit_s)
            began = time.monotonic()
            try:
                async with patience:
                    reply = await command()
            except ResponseError as error:  # Redis is there, but full or asked wrongly
                raise CacheUnavailable(f"Redis refused: {type(error).__name__}") from error
            except _FAILURES as error:  # TimeoutError is an OSError
                hurried = limit_s < self._call_timeout_s / 2 or patience.late_s > OURS_S
                self._failed(ours=hurried and isinstance(error, TimeoutError))
                raise CacheUnavailable(f"Redis failed: {type(error).__name__}") from error
            finally:
                spend(time.monotonic() - began)
            self._unexplained = 0
            return reply

    async def connect(self) -> None:
        """Open the connections before the first request needs them, if the server is up."""
        if not await self._answers(max(FIRST_CONNECT_TIMEOUT_S, self._call_timeout_s)):
            self._leave_alone()

    async def aclose(self) -> None:
        """Close all connections; a call that is under way or comes later fails."""
        self.up = False
        if self._mending:
            await cancel_for_good(self._mending)
        with suppress(*_FAILURES):
            await self.driver.aclose()

    def _failed(self, *, ours: bool) -> None:
        """Leave Redis alone, where it is not more likely that we were slow ourselves."""
        self._unexplained += 1
        if not ours or self._unexplained >= CONCURRENT_CALLS:
            self._leave_alone()

    def _leave_alone(self) -> None:
        if self.up:
            self.up = False
            self._mending = asyncio.create_task(self._mend())
            self._tell("closed", "open")

    async def _mend(self) -> None:
        attempt = 0
        while not await self._answers(CONNECT_TIMEOUT_S):
            await asyncio.sleep(_PAUSES_S[min(attempt, len(_PAUSES_S) - 1)])
            attempt += 1
        self.up, self._unexplained = True, 0
        self._tell("open", "closed")

    def _tell(self, before: BreakerState, after: BreakerState) -> None:
        self._listener(BreakerChanged("redis", before, after))

    async def _answers(self, timeout_s: float) -> bool:
        """Whether every connection answers; a broken one is closed and opened by the next try."""
        pings = (self.driver.ping() for _ in range(CONCURRENT_CALLS))
        try:
            async with asyncio.timeout(timeout_s):
                replies = await asyncio.gather(*pings, return_exceptions=True)
        except TimeoutError:
            return False
        return all(reply is True for reply in replies)


@asynccontextmanager
async def open_client(
    url: str, *, call_timeout_s: float = CALL_TIMEOUT_S, listener: Listener = ignore
) -> AsyncIterator[RedisClient]:
    """A client for the Redis at `url`, which need not be up.

    Raises:
        ConfigurationError: the URL cannot be understood.
    """
    driver = open_driver(url, max_connections=CONCURRENT_CALLS)
    client = RedisClient(driver, call_timeout_s=call_timeout_s, listener=listener)
    try:
        await client.connect()
        yield client
    finally:
        await client.aclose()
