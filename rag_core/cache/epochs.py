"""Epochs: a random nonce per user that changes whenever one of the user's notes changes.

The truth is in the database, changed by the very transaction that changes a note. Every request
reads it there, and an answer is served only if it was stored under the epoch that was read, or if
its evidence was looked up again. Nothing else vouches for freshness.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextvars import Context
from functools import partial
from typing import NamedTuple, NewType, Protocol

from cachebox import LRUCache

from rag_core.clock import Clock
from rag_core.domain.user import UserId
from rag_core.errors import DatabaseUnavailable
from rag_core.events import EpochsRead, Listener, ignore
from rag_core.guard.deadline import seconds_left

Epoch = NewType("Epoch", str)

MAX_BELIEVED_USERS = 100_000

ReadEpochs = Callable[[Collection[UserId]], Awaitable[Mapping[UserId, Epoch]]]
"""Reads the committed epochs of these users; an unknown user has none."""


class EpochSource(Protocol):
    """Where a request learns the user's epoch."""

    def epoch(self, user: UserId) -> asyncio.Future[Epoch | None]:
        """The user's committed epoch; None for a user who has never had a note.

        The read is under way when this returns, so that other work can be done beside it. Cancel
        the future if you do not wait for it.

        Raises:
            DatabaseUnavailable: it cannot be read; raised by the future.
        """
        ...


class _Caller(NamedTuple):
    user: UserId
    future: asyncio.Future[Epoch | None]
    timer: asyncio.TimerHandle


class SharedEpochs:
    """EpochSource whose concurrent callers share reads: one is under way at a time.

    Whoever calls while a read is under way joins the next one, never the one that began before:
    what it saw may be older than the call. A read is no caller's: it has none of their deadlines.

    Args:
        timeout_s: how long a caller waits, for the reads before its own as well.
        listener: gets an `EpochsRead` for each read.
    """

    def __init__(
        self, read: ReadEpochs, *, timeout_s: float = 2.0, listener: Listener = ignore
    ) -> None:
        self._read = read
        self._timeout_s = timeout_s
        self._listener = listener
        self._waiting: list[_Caller] = []
        self._reading: asyncio.Future[Mapping[UserId, Epoch]] | None = None

    def epoch(self, user: UserId) -> asyncio.Future[Epoch | None]:
        """See `EpochSource`."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Epoch | None] = loop.create_future()
        timer = loop.call_later(seconds_left(self._timeout_s), _give_up, future)
        self._waiting.append(_Caller(user, future, timer))
        if self._reading is None:
            self._begin()
        return future

    def _begin(self) -> None:
        callers, self._waiting = self._waiting, []
        nobodys = Context()  # else each read would inherit the deadline of the one before
        users, began = {caller.user for caller in callers}, time.monotonic()
        self._reading = nobodys.run(self._start, users)
        self._reading.add_done_callback(partial(self._deliver, callers), context=nobodys)
        self._reading.add_done_callback(partial(self._tell, len(users), began), context=nobodys)

    def _start(self, users: set[UserId]) -> asyncio.Future[Mapping[UserId, Epoch]]:
        return asyncio.ensure_future(self._read(users))

    def _deliver(
        self, callers: list[_Caller], reading: asyncio.Future[Mapping[UserId, Epoch]]
    ) -> None:
        self._reading = None
        error = asyncio.CancelledError() if reading.cancelled() else reading.exception()
        for caller in callers:
            caller.timer.cancel()
            if caller.future.done():  # its caller went away, or waited for too long
                continue
            if error is not None:
                _fail(caller.future, error)
            else:
                caller.future.set_result(reading.result().get(caller.user))
        self._waiting = [caller for caller in self._waiting if not caller.future.done()]
        if self._waiting:
            self._begin()

    def _tell(
        self, users: int, began: float, reading: asyncio.Future[Mapping[UserId, Epoch]]
    ) -> None:
        read = not reading.cancelled() and reading.exception() is None
        elapsed_ms = (time.monotonic() - began) * 1000
        self._listener(EpochsRead(users, elapsed_ms, "ok" if read else "unavailable"))


def _give_up(future: asyncio.Future[Epoch | None]) -> None:
    if not future.done():
        _fail(
            future,
            DatabaseUnavailable("Postgres did not answer in time", "Check that it is running"),
        )


def _fail(future: asyncio.Future[Epoch | None], error: BaseException) -> None:
    future.set_exception(error)
    future.exception()  # so that nobody complains when its caller goes away without asking


class BelievedEpochs:
    """EpochSource that believes its own copy of an epoch for `max_staleness_s` seconds.

    They count from before the copy was read: an answer is never later than that. Within them
    Postgres is not asked, and need not even be up.
    """

    def __init__(self, source: EpochSource, *, clock: Clock, max_staleness_s: float) -> None:
        self._source = source
        self._clock = clock
        self._max_staleness_s = max_staleness_s
        self._copies: LRUCache[UserId, tuple[float, Epoch | None]] = LRUCache(MAX_BELIEVED_USERS)

    def epoch(self, user: UserId) -> asyncio.Future[Epoch | None]:
        """See `EpochSource`."""
        began = self._clock.monotonic()
        copy = self._copies.get(user)
        if copy and began - copy[0] < self._max_staleness_s:
            known: asyncio.Future[Epoch | None] = asyncio.get_running_loop().create_future()
            known.set_result(copy[1])
            return known
        reading = self._source.epoch(user)
        reading.add_done_callback(partial(self._remember, user, began))
        return reading

    def _remember(self, user: UserId, began: float, reading: asyncio.Future[Epoch | None]) -> None:
        if not reading.cancelled() and reading.exception() is None:
            self._copies[user] = (began, reading.result())
