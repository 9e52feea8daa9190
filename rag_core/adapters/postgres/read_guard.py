"""The guard around reads: a Postgres that does not answer keeps nobody waiting in vain."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, nullcontext
from typing import NoReturn

from rag_core.errors import BreakerOpen, DatabaseUnavailable
from rag_core.guard.breaker import Breaker
from rag_core.guard.outcome import Through


class _Read(Through):
    __slots__ = ()

    async def __aenter__(self) -> None:
        try:
            await super().__aenter__()
        except BreakerOpen as error:
            raise DatabaseUnavailable(
                "Postgres did not answer of late, and is left alone for a moment",
                retry_after_s=error.retry_after_s,
            ) from error


class ReadGuard:
    """The deadline is each read's own, the pool is the bulkhead; this adds the breaker.

    Only a connection that turns out to be lost is worth a retry, and has it beneath this guard: the
    next connection is a new one. A read that took its whole time has none left for another. Writes
    are not refused: whoever saves would rather wait, and a lock held by others is no outage.

    Args:
        breaker: of this process; None lets everything through.
        timeout_s: what a read may take.
    """

    def __init__(self, breaker: Breaker | None, timeout_s: float) -> None:
        self._breaker, self._timeout_s = breaker, timeout_s

    @property
    def closed(self) -> bool:
        """Whether reads go ahead without asking."""
        return self._breaker is None or self._breaker.state == "closed"

    def read(self, given_s: float) -> AbstractAsyncContextManager[None]:
        """Within the block one read is made, in `given_s` seconds.

        Raises:
            DatabaseUnavailable: Postgres is left alone for a moment; says how long.
        """
        if self._breaker is None:
            return nullcontext()
        return _Read(self._breaker, given_s=given_s, timeout_s=self._timeout_s)

    async def unanswered(self) -> NoReturn:
        """Count a read that was sent past this guard, and got no reply in its time.

        Raises:
            DatabaseUnavailable: always.
        """
        async with self.read(self._timeout_s):
            raise DatabaseUnavailable("Postgres did not answer in time", "Check that it is running")
        raise AssertionError("what was raised passes through")
