"""What of a source is nearest to a claim: each sentence's cosine, and the unit to compare with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evals.measures.claims import sentences
from evals.measures.support_alignment import nearest_unit
from evals.measures.vectors import Vectors

if TYPE_CHECKING:
    from rag_core.domain import Matrix

MOST_PIECES = 70
"""Word pieces of a context, as many as some four sentences have; what the reader learnt on."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """A source's sentences beside a claim.

    `cosines` are float32[2 * sentences - 1]: of each sentence to the claim, then of each pair of
    adjacent ones. `unit` is the sentence or pair that `nearest_unit` chose, and `members` are the
    places of its sentences.
    """

    sentences: Sequence[str]
    cosines: NDArray[np.float32]
    unit: str
    members: Sequence[int]

    def context(self, pieces: Callable[[str], int]) -> str:
        """The unit and then the sentences nearest by cosine, while they fit `MOST_PIECES`.

        They stand in the order of the source; the unit's first sentence is there however long.

        Args:
            pieces: number of word pieces in a text.
        """
        by_cosine = [int(i) for i in np.argsort(-self.cosines[: len(self.sentences)])]
        order = dict.fromkeys((*self.members, *by_cosine))
        kept: list[int] = []
        left = MOST_PIECES
        for index in order:
            count = pieces(self.sentences[index])
            if count <= left or not kept:
                kept.append(index)
                left -= count
        return " ".join(self.sentences[index] for index in sorted(kept))


async def nearest(claim: str, source: str, vectors: Vectors) -> Nearest:
    """The sentences of `source`, which has one at least, beside `claim`.

    The vector of a pair is the mean of its sentences' vectors.
    """
    single = sentences(source)
    pairs = [f"{first} {second}" for first, second in pairwise(single)]
    cosines = _with_pairs(await vectors.of(single)) @ (await vectors.of([claim]))[0]
    place = nearest_unit(claim, single + pairs, cosines.tolist())
    first = place if place < len(single) else place - len(single)
    members = (first,) if place < len(single) else (first, first + 1)
    return Nearest(single, cosines, (single + pairs)[place], members)


async def embed_pairs(pairs: Sequence[tuple[str, str]], vectors: Vectors) -> None:
    """Embed at once, on all cores, the claims and sources that would be embedded pair by pair."""
    sources = dict.fromkeys(source for _, source in pairs)
    said = [sentence for source in sources for sentence in sentences(source)]
    await vectors.of([*(claim for claim, _ in pairs), *said])


def _with_pairs(vectors: Matrix) -> Matrix:
    pairs = vectors[:-1] + vectors[1:]
    return np.vstack([vectors, pairs / np.linalg.norm(pairs, axis=1, keepdims=True)])
