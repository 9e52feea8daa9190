"""Token counts of recent texts: what is counted again and again in a process, counted once."""

from __future__ import annotations

import hashlib

from cachebox import LRUCache

from rag_core.domain.tokens import Tokenizer

MAX_COUNTS = 10_000
"""Some 2 MB: hashes are kept, no texts."""


class RememberedCounts:
    """Tokenizer that remembers its counts of the texts asked for last."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._counts: LRUCache[bytes, int] = LRUCache(MAX_COUNTS)
        self.name = tokenizer.name
        self.truncate = tokenizer.truncate

    def count(self, text: str) -> int:
        """See `rag_core.domain.tokens.Tokenizer`."""
        key = hashlib.sha256(text.encode()).digest()
        count = self._counts.get(key)
        if count is None:
            count = self._counts[key] = self._tokenizer.count(text)
        return count
