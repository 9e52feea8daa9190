"""How much of a claim its source says at all, word by word, in these words or in others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from evals.measures.support_text import ParsedText, parse
from evals.measures.vectors import Vectors

if TYPE_CHECKING:
    from rag_core.domain import Matrix

WINDOW = 4
"""Neighbouring content words that are looked for together; chosen of 3 to 6 on dev claims."""


async def unsaid(claim: str, sentences: Sequence[str], vectors: Vectors) -> float:
    """How unlike the source is what the claim says and the source says least: 0 to 1.

    Of `WINDOW` neighbouring content words, each has a likeness to the nearest word of a sentence:
    1 for the same stem, else the cosine of the two words' vectors. Their mean is taken for the
    sentence, or pair of adjacent ones, that is most like them; the window with the least counts.
    """
    said = [parse(sentence) for sentence in sentences]
    said = [sentence for sentence in said if sentence.content]
    words = parse(claim)
    if not said or not words.content:
        return 1.0
    likeness = await _likeness(words, said, vectors)
    pairs = np.maximum(likeness[:-1], likeness[1:])
    return float(np.clip(1 - _windows(np.vstack([likeness, pairs])).max(axis=0).min(), 0, 1))


async def _likeness(claim: ParsedText, said: Sequence[ParsedText], vectors: Vectors) -> Matrix:
    """float32[sentences, words of the claim]: of each word to the nearest one of each sentence."""
    mine, theirs = claim.content, [token for sentence in said for token in sentence.content]
    embedded = await vectors.of([token.text for token in (*mine, *theirs)])
    likeness = embedded[len(mine) :] @ embedded[: len(mine)].T
    stems = np.array([token.stem for token in theirs])[:, np.newaxis]
    likeness[stems == np.array([token.stem for token in mine])] = 1.0
    starts = np.cumsum([0, *(len(sentence.content) for sentence in said[:-1])])
    return np.maximum.reduceat(likeness, starts, axis=0)


def _windows(likeness: Matrix) -> Matrix:
    """float[units, windows]: the mean of each window's words; one window for a shorter claim."""
    width = min(WINDOW, likeness.shape[1])
    windows = np.lib.stride_tricks.sliding_window_view(likeness, width, axis=1)
    return np.asarray(windows.mean(axis=2))
