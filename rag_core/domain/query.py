"""What a search is given: a question as text and as a vector, and how the two are to be used."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag_core.domain.ranking import Vector


class SearchMode(StrEnum):
    """What decides which chunks are found for a question, and in which order."""

    DENSE = "dense"
    """How near the chunk's vector is to the question's."""
    LEXICAL = "lexical"
    """The words that both have, by BM25; a chunk that shares no word is not found."""
    HYBRID = "hybrid"
    """The best of both, fused by their ranks."""


FUSED_DEPTH = 50
"""Chunks of each side that are fused."""
RRF_K = 60
"""Of reciprocal rank fusion, a chunk's sum of 1 / (k + rank): Cormack, Clarke and Büttcher,
"Reciprocal rank fusion outperforms Condorcet and individual rank learning methods", SIGIR 2009."""


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A question, as a retriever takes it."""

    vector: Vector
    """float32[384], unit length."""
    text: str = ""
    """What was asked: by its words the lexical side is searched."""
