"""The context cache: contexts of recent questions, in this process."""

from __future__ import annotations

from cachebox import LRUCache

from rag_core.cache.sizes import CacheSize
from rag_core.clock import Clock
from rag_core.context import Context

_OVERHEAD_BYTES = 1_000
"""About what a source's objects take beside their text."""


class ContextCache:
    """Contexts by key, the least recently used dropped first; a key carries user and epoch.

    Args:
        max_bytes: estimated size of all contexts together.
        ttl_s: seconds after which a context is built anew.
    """

    def __init__(self, *, clock: Clock, max_bytes: int = 100_000_000, ttl_s: float = 3600) -> None:
        self._clock = clock
        self._ttl_s = ttl_s
        self._contexts: LRUCache[str, tuple[float, Context]] = LRUCache(
            max_bytes, getsizeof=lambda key, value: context_bytes(value[1])
        )

    def get(self, key: str) -> Context | None:
        """The context, or None."""
        found: tuple[float, Context] | None = self._contexts.get(key)
        if found is None or self._clock.monotonic() >= found[0]:
            return None
        return found[1]

    def put(self, key: str, context: Context) -> None:
        """Keep the context, unless it alone is larger than the cache."""
        if context_bytes(context) < self._contexts.maxsize:
            self._contexts[key] = (self._clock.monotonic() + self._ttl_s, context)

    def size(self) -> CacheSize:
        """How much it holds; bytes as estimated."""
        return CacheSize(len(self._contexts), self._contexts.current_size())


def context_bytes(context: Context) -> int:
    """Estimated bytes in memory: text four bytes a character at worst, and objects around it."""
    texts = sum(len(source.text) + len(source.hit.text) for source in context.sources)
    return _OVERHEAD_BYTES * (1 + len(context.sources)) + texts
