"""Vectors of the texts that measures compare, each embedded once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rag_core.domain import DIMENSIONS, Embedder

if TYPE_CHECKING:
    from rag_core.domain import Matrix, Vector


class Vectors:
    """Remembers the vectors that `embedder` made.

    Texts that are asked for while others are being embedded go together, in one batch behind them.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[str, Vector] = {}
        self._wanted: dict[str, None] = {}
        self._one_batch = asyncio.Lock()

    async def of(self, texts: Sequence[str]) -> Matrix:
        """float32[len(texts), 384], rows of unit length, in the order of `texts`."""
        if new := [text for text in texts if text not in self._known]:
            self._wanted |= dict.fromkeys(new)
            await self._embed_wanted()
        if not texts:
            return np.empty((0, DIMENSIONS), dtype=np.float32)
        return np.stack([self._known[text] for text in texts])

    async def _embed_wanted(self) -> None:
        async with self._one_batch:
            if batch := list(self._wanted):
                self._known.update(zip(batch, await self._embedder.embed(batch), strict=True))
            for text in batch:
                del self._wanted[text]

    async def best_cosine(self, text: str, candidates: Sequence[str]) -> float:
        """The highest cosine similarity of `text` to a candidate; -1 when there are none."""
        if not candidates:
            return -1.0
        return float((await self.of(candidates) @ (await self.of([text]))[0]).max())
