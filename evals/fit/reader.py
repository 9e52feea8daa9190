"""What the light check's reader is taught by, and how it does on claims that it never saw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from evals.datasets.golden import Claim, GoldenSet
from evals.fit.support import ELSEWHERE, elsewhere, source_text
from evals.measures.support_nearest import embed_pairs, nearest
from evals.measures.support_reader import reading
from evals.measures.vectors import Vectors

if TYPE_CHECKING:
    from evals.fit.student import Lesson

ELSEWHERE_COUNTS = 0.4
"""As how many claims one beside another passage counts: they are easy, and many."""
HALF = 0.5
"""Share of claims that stand beside the whole passage."""


async def lesson(
    claims: Sequence[Claim], golden: GoldenSet, vectors: Vectors, pieces: Callable[[str], int]
) -> Lesson:
    """Each claim beside its passage, and one right one in two beside another's.

    Beside the whole of it, as an answer cites it, or beside the words that decide, as an answer is
    where it is asked for a fact: one or the other, at random.

    Args:
        pieces: number of word pieces in a text, as the reader's embedder counts them.
    """
    from evals.fit.student import Lesson

    both = (*claims, *elsewhere(claims))
    whole = np.random.default_rng(0).random(len(both)) < HALF
    pairs = [
        (claim.claim, source_text(claim, golden) if all_of_it else claim.evidence)
        for claim, all_of_it in zip(both, whole, strict=True)
    ]
    await embed_pairs(pairs, vectors)
    texts = [
        reading(claim, (await nearest(claim, source, vectors)).context(pieces))
        for claim, source in pairs
    ]
    counts = [ELSEWHERE_COUNTS if claim.kind == ELSEWHERE else 1.0 for claim in both]
    right = [float(claim.supported) for claim in both]
    return Lesson(texts, np.array(right, np.float32), np.array(counts, np.float32))
