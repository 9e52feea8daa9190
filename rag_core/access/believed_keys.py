"""API keys in use, believed for seconds, so that a request in the row costs no round trip.

What was read of a key is believed for `BELIEVED_S`, counted from before the read began: a key that
is revoked is refused by every process at most so much later, whatever fails. Keys in use are read
again, all at once, before that time is up; so only the first request of a while waits for a read.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from contextvars import Context

from cachebox import LRUCache

from rag_core.access.api_key import IssuedKey
from rag_core.clock import Clock, recurring
from rag_core.errors import DatabaseUnavailable

BELIEVED_S = 5.0
"""Seconds within which every process refuses a revoked key."""

RENEWED_S = 2.0
"""Seconds from the end of one reading of all keys in use to the next: twice within `BELIEVED_S`."""

IDLE_S = 600.0
"""Seconds after its last use for which a key is still read again."""

MAX_KEYS = 10_000
"""Number of keys that a process keeps; beyond, those not used for longest are read when used."""

ReadKeys = Callable[[Collection[str]], Awaitable[Mapping[str, IssuedKey]]]
"""Reads by their prefixes those keys that are in force."""


class _Copy:
    __slots__ = ("key", "read_at", "used_at")

    def __init__(self, key: IssuedKey, read_at: float, used_at: float) -> None:
        self.key, self.read_at, self.used_at = key, read_at, used_at


class BelievedKeys:
    """Keys by their prefix."""

    def __init__(self, read: ReadKeys, *, clock: Clock) -> None:
        self._read = SharedReads(read)
        self._read_alone = read
        self._clock = clock
        self._copies: LRUCache[str, _Copy] = LRUCache(MAX_KEYS)

    async def find(self, prefix: str) -> IssuedKey | None:
        """The key, if it is in force, or was less than `BELIEVED_S` ago.

        Raises:
            DatabaseUnavailable: it cannot be read.
        """
        now, copy = self._clock.monotonic(), self._copies.get(prefix)
        if copy and now - copy.read_at < BELIEVED_S:
            copy.used_at = now
            return copy.key
        key = await self._read(prefix)
        if key:
            self._copies[prefix] = _Copy(key, read_at=now, used_at=now)
        return key

    async def renew(self) -> None:
        """Read all keys in use, and forget those that are not, or not in force any more.

        Raises:
            DatabaseUnavailable: they cannot be read; what is known is believed for its time.
        """
        began, copies = self._clock.monotonic(), list(self._copies.items())
        used = {prefix for prefix, copy in copies if began - copy.used_at < IDLE_S}
        found = await self._read_alone(used) if used else {}
        for prefix, copy in copies:
            if prefix in found:
                copy.key, copy.read_at = found[prefix], began
            else:
                self._copies.pop(prefix, None)

    @asynccontextmanager
    async def renewed(self, clock: Clock) -> AsyncIterator[BelievedKeys]:
        """Renew every `RENEWED_S` of `clock` while the block runs."""
        async with recurring("keys are read anew", self._renew_if_it_can, RENEWED_S, clock):
            yield self

    async def _renew_if_it_can(self) -> None:
        with suppress(DatabaseUnavailable):  # whoever needs a key that is too old hears of it
            await self.renew()


class SharedReads:
    """Concurrent callers share reads: one is under way at a time, whoever comes joins the next.

    So a flood of made-up keys costs Postgres no more than one read at a time. A read is no
    caller's: it has none of their deadlines, and goes on when they are gone.
    """

    def __init__(self, read: ReadKeys) -> None:
        self._read = read
        self._turn = asyncio.Lock()
        self._wanted: set[str] = set()
        self._next: asyncio.Task[Mapping[str, IssuedKey]] | None = None

    async def __call__(self, prefix: str) -> IssuedKey | None:
        """The key as a read has it that begins from now on.

        Raises:
            DatabaseUnavailable: it cannot be read.
        """
        self._wanted.add(prefix)
        if self._next is None:
            self._next = asyncio.create_task(self._read_wanted(), context=Context())
            self._next.add_done_callback(_seen)
        return (await asyncio.shield(self._next)).get(prefix)

    async def _read_wanted(self) -> Mapping[str, IssuedKey]:
        async with self._turn:
            wanted, self._wanted, self._next = self._wanted, set(), None
            return await self._read(wanted)


def _seen(reading: asyncio.Task[Mapping[str, IssuedKey]]) -> None:
    if not reading.cancelled():
        reading.exception()  # so that nobody complains when all its callers went away
