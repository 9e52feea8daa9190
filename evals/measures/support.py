"""Support: how probable it is that a source supports a claim."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Protocol

import msgspec
import numpy as np

from evals.measures.quoting import stands_in
from evals.measures.support_alignment import Alignment, too_short
from evals.measures.support_coverage import unsaid
from evals.measures.support_features import FEATURES, features
from evals.measures.support_nearest import nearest
from evals.measures.support_reader import SupportReader, opened_reader
from evals.measures.support_text import parse
from evals.measures.vectors import Vectors
from rag_core.settings import Settings

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

    def __init__(
        self, vectors: Vectors, reader: SupportReader, weights: SupportWeights | None = None
    ) -> None:
        self._vectors, self._reader = vectors, reader
        self._model = weights or stored_weights()
        self.threshold = self._model.threshold

    async def scores(self, pairs: Sequence[tuple[str, str]]) -> Sequence[float]:
        """Probability, 0 to 1, that the source supports the claim; pairs are (claim, source).

        1 for a claim that the source has word for word and does not deny; 0 for one without
        content, and beside a source that is too short to say it.
        """
        scores = [float(stands_in(claim, source)) for claim, source in pairs]
        weighed = [
            index
            for index, (claim, source) in enumerate(pairs)
            if not scores[index] and source.strip() and parse(claim).content
        ]
        for index, found in zip(
            weighed,
            await alignments([pairs[index] for index in weighed], self._vectors, self._reader),
            strict=True,
        ):
            if not too_short(found.unit, found.claim):
                scores[index] = float(self._model.probability(features(found)[np.newaxis])[0])
        return scores


async def alignments(
    pairs: Sequence[tuple[str, str]], vectors: Vectors, reader: SupportReader
) -> list[Alignment]:
    """Each claim beside the sentence, or pair of adjacent ones, of its source that is nearest."""
    near = [await nearest(claim, source, vectors) for claim, source in pairs]
    read = await reader.log_odds(
        [(claim, found) for (claim, _), found in zip(pairs, near, strict=True)]
    )
    return [
        Alignment(
            claim,
            found.unit,
            source,
            float(found.cosines.max()),
            await unsaid(claim, found.sentences, vectors),
            float(log_odds),
        )
        for (claim, source), found, log_odds in zip(pairs, near, read, strict=True)
    ]


@contextmanager
def opened_light_checker(vectors: Vectors, settings: Settings) -> Iterator[LightChecker]:
    """The light check with its stored weights and reader.

    Raises:
        ConfigurationError: see `opened_reader`.
    """
    with opened_reader(settings) as reader:
        yield LightChecker(vectors, reader)
