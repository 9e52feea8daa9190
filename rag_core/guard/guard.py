"""The guard around one outside dependency: what stands between a request and a call."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import TypeVar

from rag_core.clock import Clock
from rag_core.domain.completion import Completion
from rag_core.errors import DeadlineExceeded, ProviderTimeout
from rag_core.guard.breaker import Breaker
from rag_core.guard.bulkhead import Bulkhead
from rag_core.guard.deadline import Deadline, PatientTimeout, seconds_left
from rag_core.guard.outcome import Through
from rag_core.guard.retry import Retry

T = TypeVar("T")


class Guard:
    """Calls to one dependency, in an order that stands in `_admitted`.

    Whoever wants less than `timeout_s` to be waited for applies a `Deadline` around the call. A
    mere cancellation looks like a caller who went away, and says nothing of the dependency.

    Args:
        timeout_s: what one call may take, its wait for a place and its retries included.
    """

    def __init__(
        self, *, breaker: Breaker, bulkhead: Bulkhead, retry: Retry, timeout_s: float, clock: Clock
    ) -> None:
        self.breaker, self.bulkhead = breaker, bulkhead
        self._retry = retry
        self._timeout_s = timeout_s
        self._clock = clock

    @property
    def open_for_s(self) -> float:
        """Seconds until it is worth calling again; 0 when calls go ahead."""
        return self.breaker.open_for_s

    async def call(self, work: Callable[[], Awaitable[T]]) -> T:
        """What `work` returns. It may be run again, and sees in `seconds_left` what is left.

        Raises:
            DeadlineExceeded: the request's time is up.
            BreakerOpen: the dependency is left alone for now.
            Overloaded: too many calls to it are under way.
            ProviderTimeout: it took longer than `timeout_s`.
        """
        async with self._admitted() as attempts:
            return await attempts.made(work)

    async def stream(self, begin: Callable[[], AsyncGenerator[T, None]]) -> AsyncGenerator[T, None]:
        """The pieces of what `begin` begins; begun again only before the first piece came.

        The call lasts until the stream ends, at the latest with its `Completion`. A stream that is
        closed earlier says nothing of the dependency.

        Raises:
            DeadlineExceeded, BreakerOpen, Overloaded, ProviderTimeout: as `call`.
        """
        last: T | None = None
        async with self._admitted() as attempts:
            pieces, piece = await attempts.made(partial(_first, begin))
            async with aclosing(pieces):
                while piece is not None:
                    if isinstance(piece, Completion):
                        last = piece
                        break
                    yield piece
                    piece = await attempts.within_deadline(partial(anext, pieces, None))
        if last is not None:
            yield last

    @asynccontextmanager
    async def _admitted(self) -> AsyncIterator[_Attempts]:
        """What every call goes through, outermost first."""
        given_s = seconds_left(self._timeout_s)
        if given_s <= 0:
            raise DeadlineExceeded("the request's time is up")
        # The rest of the deadline: all that follows, waits included, sees what is left of it.
        whole = Deadline(self._timeout_s, self._clock)
        async with (
            # The breaker: a dead dependency takes up no place and no time.
            Through(self.breaker, given_s=given_s, timeout_s=self._timeout_s),
            # The bulkhead: whoever is shed has not called, so the breaker is told nothing of it.
            self.bulkhead.place(given_s),
        ):
            # The retry: it keeps its place, and all its attempts are one call to the breaker.
            yield _Attempts(self._retry, whole, self._clock, self._may_retry)

    def _may_retry(self) -> bool:
        """A probe is one attempt, and once the breaker is open there are none but probes."""
        return self.breaker.state == "closed"


class _Attempts:
    """The innermost of a guard: attempts at one call, within its deadline.

    The request's deadline is read anew for each wait: a stream that has begun may be given more
    time than it had to begin.
    """

    def __init__(
        self, retry: Retry, whole: Deadline, clock: Clock, may_retry: Callable[[], bool]
    ) -> None:
        self._retry, self._whole, self._clock = retry, whole, clock
        self._may_retry = may_retry

    async def made(self, work: Callable[[], Awaitable[T]]) -> T:
        """What `work` returns, tried again where that is worth it."""
        return await self._retry.call(
            partial(self.within_deadline, work),
            left_s=self._left_s,
            allowed=self._may_retry,
        )

    async def within_deadline(self, work: Callable[[], Awaitable[T]]) -> T:
        """What `work` returns, once.

        Raises:
            DeadlineExceeded: the request's time is up.
            ProviderTimeout: the dependency's is.
        """
        left_s = self._left_s()
        try:
            with Deadline(left_s, self._clock).applied():
                async with PatientTimeout(left_s):
                    return await work()
        except TimeoutError as error:
            if seconds_left(1.0) <= 0:
                raise DeadlineExceeded("the request's time is up") from error
            raise ProviderTimeout("the provider did not answer in time") from error

    def _left_s(self) -> float:
        return seconds_left(self._whole.left_s())


async def _first(
    begin: Callable[[], AsyncGenerator[T, None]],
) -> tuple[AsyncGenerator[T, None], T | None]:
    """A stream and its first piece; None where it has none. One that fails is closed."""
    pieces = begin()
    try:
        return pieces, await anext(pieces, None)
    except BaseException:
        await pieces.aclose()
        raise
