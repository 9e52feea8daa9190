"""The answer cache: what is asked of it, and one in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from cachebox import LRUCache

from rag_core.answer import Answer
from rag_core.cache.epochs import Epoch, EpochSource
from rag_core.cache.sizes import CacheSize
from rag_core.clock import Clock
from rag_core.user import UserId


@dataclass(frozen=True, slots=True)
class Entry:
    """A stored answer; the fingerprint of its evidence is in the answer itself."""

    answer: Answer
    epoch: Epoch
    """The user's epoch when the answer's evidence was last seen to stand."""
    fresh_until: float
    """Seconds since the Unix epoch: the soft TTL."""
    gone_at: float
    """Seconds since the Unix epoch: the hard TTL."""
    took_ms: float
    """What making the answer took."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a look into the cache found: the entry, if any, and the user's epoch, if known."""

    entry: Entry | None
    epoch: Epoch | None


class AnswerCache(Protocol):
    """Answers by key; `rag_core.cache.keys` makes keys. It does not judge what may be served."""

    async def look(self, user: UserId, key: str) -> Look:
        """The entry under `key` within its hard TTL, and the user's epoch.

        The epoch is None while it cannot be trusted: then nothing may be served unchecked and
        nothing stored.

        Raises:
            CacheUnavailable: the cache did not answer in time.
        """
        ...

    async def store(self, key: str, entry: Entry) -> None:
        """Keep `entry` until its hard TTL ends.

        Raises:
            CacheUnavailable: the cache did not answer in time, or is full.
        """
        ...

    async def size(self) -> CacheSize:
        """How much it holds, of all users."""
        ...


class MemoryAnswerCache:
    """AnswerCache in this process; the epoch comes from the database at every look."""

    def __init__(self, *, epochs: EpochSource, clock: Clock, max_entries: int = 10_000) -> None:
        self._epochs = epochs
        self._clock = clock
        self._entries: LRUCache[str, Entry] = LRUCache(max_entries)

    async def look(self, user: UserId, key: str) -> Look:
        """See `AnswerCache`."""
        epoch = await self._epochs.epoch(user)
        entry: Entry | None = self._entries.get(key)
        if entry and self._clock.now() >= entry.gone_at:
            entry = None
        return Look(entry, epoch)

    async def store(self, key: str, entry: Entry) -> None:
        """See `AnswerCache`."""
        self._entries[key] = entry

    async def size(self) -> CacheSize:
        """See `AnswerCache`; bytes are not known for objects in memory."""
        return CacheSize(len(self._entries), None)
