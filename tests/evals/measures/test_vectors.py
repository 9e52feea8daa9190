"""Vectors that measures ask for: each text embedded once, those of a busy moment together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pytest

from evals.measures.vectors import Vectors
from rag_core.adapters.embedders import HashingEmbedder
from rag_core.errors import Unavailable

if TYPE_CHECKING:
    from rag_core.domain import Matrix


class CountingEmbedder(HashingEmbedder):
    """Keeps the batches that it is given; the first one fails if it is told to."""

    def __init__(self, *, fails: bool = False) -> None:
        super().__init__()
        self.batches: list[list[str]] = []
        self._fails = fails

    async def embed(self, texts: Sequence[str]) -> Matrix:
        self.batches.append(list(texts))
        await asyncio.sleep(0)
        if self._fails and len(self.batches) == 1:
            raise Unavailable("the embedder is away")
        return await super().embed(texts)


async def test_texts_asked_for_at_once_are_embedded_once_and_together() -> None:
    embedder = CountingEmbedder()
    vectors = Vectors(embedder)
    asked = [["rain"], ["snow", "rain"], ["hail"], ["snow", "sun", "snow"]]
    found = await asyncio.gather(*map(vectors.of, asked))
    assert embedder.batches == [["rain"], ["snow", "hail", "sun"]]
    for texts, rows in zip(asked, found, strict=True):
        assert np.array_equal(rows, await HashingEmbedder().embed(texts))


async def test_a_failed_batch_is_asked_for_again() -> None:
    vectors = Vectors(CountingEmbedder(fails=True))
    with pytest.raises(Unavailable):
        await vectors.of(["rain"])
    assert (await vectors.of(["rain"])).shape == (1, 384)
