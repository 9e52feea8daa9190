"""The context cache: contexts of recent questions, in this process."""

from __future__ import annotations

from collections import OrderedDict
from sys import getsizeof

from cachebox import LRUCache

from rag_core.cache.stats import CacheSize
from rag_core.clock import Clock
from rag_core.domain.context import Context

_OVERHEAD_BYTES = 1_000
"""About what a source's objects take beside their text."""


class ContextCache:
    """Contexts by key, the least recently used dropped first; a key carries user and epoch.

    Args:
        max_bytes: estimated size of all contexts together; 0 keeps none.
        ttl_s: seconds after which `expire` drops a context.
    """

    def __init__(self, *, clock: Clock, max_bytes: int = 8_000_000, ttl_s: float = 3600) -> None:
        self._clock = clock
        self._ttl_s = ttl_s
        self._max_bytes = max_bytes
        self._contexts: LRUCache[str, Context] = LRUCache(
            max(1, max_bytes),  # for the library, 0 is no limit at all
            getsizeof=lambda key, context: context_bytes(context),
        )
        self._ends: OrderedDict[str, float] = OrderedDict()
        # The library's own: a method of ours around it would take three times as long.
        self.get = self._contexts.get
        """The context under a key, or None. `expire` first, to see none past its time."""

    def put(self, key: str, context: Context) -> None:
        """Keep the context, unless it alone is larger than the cache."""
        self.expire()
        if context_bytes(context) <= self._max_bytes:
            self._contexts[key] = context
            self._ends[key] = self._clock.monotonic() + self._ttl_s
            self._ends.move_to_end(key)
            self._forget_dropped()

    def expire(self) -> None:
        """Drop what is past its time; costs a glance when nothing is."""
        while self._ends:
            key = next(iter(self._ends))
            if self._ends[key] > self._clock.monotonic():
                return
            del self._ends[key]
            self._contexts.pop(key, None)

    def _forget_dropped(self) -> None:
        """Now and then, when most ends are of contexts that had to make room long ago."""
        if len(self._ends) > 2 * len(self._contexts) + 100:
            kept = ((key, end) for key, end in self._ends.items() if key in self._contexts)
            self._ends = OrderedDict(kept)

    def size(self) -> CacheSize:
        """How much it holds; bytes as estimated."""
        return CacheSize(len(self._contexts), self._contexts.current_size())


def context_bytes(context: Context) -> int:
    """Estimated bytes in memory: the texts, one to four bytes a character, and objects around."""
    texts = sum(getsizeof(source.text) + getsizeof(source.hit.text) for source in context.sources)
    return _OVERHEAD_BYTES * (1 + len(context.sources)) + texts
