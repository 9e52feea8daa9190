"""Vectors of the texts that measures compare, each embedded once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rag_core.domain import DIMENSIONS, Embedder

if TYPE_CHECKING:
    from rag_core.domain import Matrix


class Vectors:
    """Remembers the vectors that `embedder` made."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[str, Matrix] = {}

    async def of(self, texts: Sequence[str]) -> Matrix:
        """float32[len(texts), 384], rows of unit length, in the order of `texts`."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, await self._embedder.embed(new), strict=True))
        if not texts:
            return np.empty((0, DIMENSIONS), dtype=np.float32)
        return np.stack([self._known[text] for text in texts])

    async def best_cosine(self, text: str, candidates: Sequence[str]) -> float:
        """The highest cosine similarity of `text` to a candidate; -1 when there are none."""
        if not candidates:
            return -1.0
        return float((await self.of(candidates) @ (await self.of([text]))[0]).max())
