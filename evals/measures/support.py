"""Support: how probable it is that a source supports a claim."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from evals.measures.claims import disagreements, sentence_units
from evals.measures.vectors import Vectors


class SupportChecker(Protocol):
    """Judges whether sources support claims."""

    name: str
    """As tables show it."""
    threshold: float
    """A claim with a score below is unsupported."""

    async def scores(self, pairs: Sequence[tuple[str, str]]) -> Sequence[float]:
        """Probability, 0 to 1, that the source supports the claim; pairs are (claim, source)."""
        ...


class LightChecker:
    """Judges by cosine, names and numbers; needs no language model."""

    name = "light"
    threshold = 0.6

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors

    async def scores(self, pairs: Sequence[tuple[str, str]]) -> Sequence[float]:
        """Probability, 0 to 1, that the source supports the claim; pairs are (claim, source)."""
        return [await self._score(claim, source) for claim, source in pairs]

    async def _score(self, claim: str, source: str) -> float:
        if disagreements(claim, source):
            return 0.0
        return max(0.0, await self._vectors.best_cosine(claim, sentence_units(source)))
