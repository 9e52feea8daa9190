"""The right answer: exact search in float32, and how much of it was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rag_core.domain import Matrix, Vector

K = 5
"""Rows that are wanted: the pipeline's default top_k."""
_ROUNDING = 1e-5
"""Of an inner product in float32: rows so near the k-th are as right as it is."""


@dataclass(frozen=True, eq=False)
class Oracle:
    """What is right for each question among the rows of one tenant, the first of number `first`.

    `similar` float32[questions, rows] are inner products, `floor` float32[questions] what they have
    at the least where a row is right, and `wanted` how many rows are: `K`, or all that there are.
    """

    similar: Matrix
    floor: Vector
    first: int
    wanted: int

    @classmethod
    def of(cls, vectors: Matrix, questions: Matrix, *, first: int = 0) -> Oracle:
        """`vectors` float32[rows, 384] and `questions` float32[m, 384], of unit length.

        `first` is the number of the first row.
        """
        similar = questions @ vectors.T
        wanted = min(K, len(vectors))
        place = len(vectors) - wanted
        least = np.partition(similar, place, axis=1)[:, place]
        return cls(similar, least - np.float32(_ROUNDING), first, wanted)

    def recall(self, question: int, rows: Sequence[int]) -> float:
        """Share of the wanted rows that are among `rows`; another tenant's is never right.

        `question` is the number of a question.
        """
        held = [row - self.first for row in set(rows)]
        mine = [row for row in held if 0 <= row < self.similar.shape[1]]
        right = int((self.similar[question, mine] >= self.floor[question]).sum())
        return min(right, self.wanted) / self.wanted


def oracles(vectors: Matrix, questions: Matrix, tenants: Mapping[str, slice]) -> dict[str, Oracle]:
    """The oracle of each tenant, whose rows are a slice of `vectors`."""
    return {
        name: Oracle.of(vectors[rows], questions, first=int(rows.start or 0))
        for name, rows in tenants.items()
    }
