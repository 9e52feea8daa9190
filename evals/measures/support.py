"""Support: how probable it is that a source supports a claim."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec
import numpy as np

from evals.measures.claims import sentences
from evals.measures.quoting import stands_in
from evals.measures.support_alignment import Alignment, nearest_unit, too_short
from evals.measures.support_coverage import unsaid
from evals.measures.support_features import FEATURES, features
from evals.measures.support_text import parse
from evals.measures.vectors import Vectors

if TYPE_CHECKING:
    from rag_core.domain import Matrix

WEIGHTS = Path(__file__).with_name("support_weights.json")


class SupportChecker(Protocol):
    """Judges whether sources support claims."""

    name: str
    """As tables show it."""
    threshold: float
    """A claim with a score below is unsupported; a probability."""

    async def scores(self, pairs: Sequence[tuple[str, str]]) -> Sequence[float]:
        """Probability, 0 to 1, that the source supports the claim; pairs are (claim, source)."""
        ...


class SupportWeights(msgspec.Struct, frozen=True):
    """A logistic model: the weight of each feature by name, and what it was fitted on.

    `intercept` is in log odds, the number that all features at 0 give. `threshold` is a
    probability, `l2` the number that multiplied half the sum of squared weights.
    """

    weights: dict[str, float]
    intercept: float
    threshold: float
    l2: float
    claims: int
    claims_sha256: str
    split: str = "dev"
    written_by: str = "python -m evals fit support"

    def probability(self, rows: np.ndarray) -> np.ndarray:
        """float64[n] of float64[n, features], in the order of `FEATURES`."""
        weights = np.array([self.weights[feature.__name__] for feature in FEATURES])
        return np.asarray(1 / (1 + np.exp(-(rows @ weights + self.intercept))))


@cache
def stored_weights() -> SupportWeights:
    """The weights that lie beside this file."""
    return msgspec.json.decode(WEIGHTS.read_bytes(), type=SupportWeights)


class LightChecker:
    """A logistic model over what `support_features` looks at; needs no language model."""

    name = "light"

    def __init__(self, vectors: Vectors, weights: SupportWeights | None = None) -> None:
        self._vectors = vectors
        self._model = weights or stored_weights()
        self.threshold = self._model.threshold

    async def scores(self, pairs: Sequence[tuple[str, str]]) -> Sequence[float]:
        """Probability, 0 to 1, that the source supports the claim; pairs are (claim, source).

        1 for a claim that the source has word for word and does not deny; 0 for one without
        content, and beside a source that is too short to say it.
        """
        return [await self._score(claim, source) for claim, source in pairs]

    async def _score(self, claim: str, source: str) -> float:
        if stands_in(claim, source):
            return 1.0
        if not source.strip() or not parse(claim).content:
            return 0.0
        nearest = await alignment(claim, source, self._vectors)
        if too_short(nearest.unit, nearest.claim):
            return 0.0
        row = features(nearest)
        return float(self._model.probability(row[np.newaxis])[0])


async def alignment(claim: str, source: str, vectors: Vectors) -> Alignment:
    """`claim` beside the sentence, or pair of adjacent ones, of `source` that is nearest to it.

    The vector of a pair is the mean of its sentences' vectors.
    """
    single = sentences(source)
    units = single + [f"{first} {second}" for first, second in pairwise(single)]
    cosines = _with_pairs(await vectors.of(single)) @ (await vectors.of([claim]))[0]
    nearest = nearest_unit(claim, units, cosines.tolist())
    return Alignment(
        claim, nearest, source, float(cosines.max()), await unsaid(claim, single, vectors)
    )


def _with_pairs(vectors: Matrix) -> Matrix:
    pairs = vectors[:-1] + vectors[1:]
    return np.vstack([vectors, pairs / np.linalg.norm(pairs, axis=1, keepdims=True)])
