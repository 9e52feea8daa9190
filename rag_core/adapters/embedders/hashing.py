"""The fake embedder: words hashed into buckets, for speed and for tests of faults."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from rag_core.adapters.embedders.model_files import MAX_WORD_PIECES
from rag_core.domain.ranking import DIMENSIONS

if TYPE_CHECKING:
    from rag_core.domain.ranking import Matrix, Vector

_WORD = re.compile(r"\w+")
# Words that nearly every text shares would make all texts alike.
_STOP_WORDS = frozenset(
    _WORD.findall(
        "a an and are as at be but by did do does for from had has have he her his how i in is it "
        "its me my not of on or our she so that the their them they this to us was we were what "
        "when where which who why will with you your"
    )
)


class HashingEmbedder:
    """Texts that share words are near; deterministic, needs no model, some 20 µs a text.

    Feature hashing with signs (Weinberger et al. 2009, arXiv:0902.2206), square-root counts.
    """

    @property
    def digest(self) -> str:
        """SHA-256 that names this way of hashing, in hex."""
        return hashlib.sha256(b"hashing-384-1").hexdigest()

    @property
    def max_word_pieces(self) -> int:
        """Words that are hashed of a text."""
        return MAX_WORD_PIECES

    def count_word_pieces(self, text: str) -> int:
        """Number of words in `text`."""
        return len(_WORD.findall(text.lower()))

    async def embed(self, texts: Sequence[str]) -> Matrix:
        """float32[len(texts), 384], rows of unit length, in the order of `texts`."""
        vectors = np.zeros((len(texts), DIMENSIONS), np.float32)
        for row, text in enumerate(texts):
            _fill(vectors[row], text)
        return vectors


def _fill(vector: Vector, text: str) -> None:
    words = _WORD.findall(text.lower())[:MAX_WORD_PIECES]
    for word, count in Counter(words).items():
        if word not in _STOP_WORDS:
            bucket, sign = _feature(word)
            vector[bucket] += sign * count**0.5
    length = float(np.linalg.norm(vector))
    if length == 0.0:  # no words, or words that cancel out
        vector[_feature(" ".join(words))[0]] = 1.0
        return
    vector /= length


@lru_cache(maxsize=65_536)
def _feature(word: str) -> tuple[int, int]:
    """The bucket of `word` and the sign it is added with."""
    code = zlib.crc32(word.encode("utf-8", "surrogatepass"))
    return code % DIMENSIONS, 1 if code & 0x8000_0000 else -1
