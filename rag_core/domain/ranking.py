"""Finding chunks: embedders, hits and rankings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import msgspec

from rag_core.domain.chunks import Chunk
from rag_core.domain.notes import Note, Verses
from rag_core.domain.query import Query
from rag_core.domain.tokens import TokenCount, WordPieceCounter
from rag_core.domain.user import UserId

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]
    """float32[384], unit length."""
    Matrix = NDArray[np.float32]
    """float32[n, 384], rows of unit length."""

DIMENSIONS = 384
"""Of a vector: what all-MiniLM-L6-v2 gives (the hidden size in its config.json)."""


class SearchMethod(StrEnum):
    """How the nearest chunks are found."""

    EXACT = "exact"
    """Scan every chunk of the user: recall 1 by construction."""
    HNSW = "hnsw"
    """Walk the HNSW graph, iterating until enough of the user's chunks are found."""


HNSW_M, HNSW_EF_CONSTRUCTION = 24, 128
"""Links of a node and candidates kept while building, of a graph that nobody gave other numbers:
chosen on dev by `python -m evals bench search`."""


class Embedder(WordPieceCounter, Protocol):
    """Turns text into unit vectors; backends of one `digest` share one space."""

    @property
    def digest(self) -> str:
        """SHA-256 of the weights, pooling and truncation, in hex."""
        ...

    async def embed(self, texts: Sequence[str]) -> Matrix:
        """float32[len(texts), 384], rows of unit length, in the order of `texts`.

        A text's vector is the same alone or in any batch (to 1e-5); texts are truncated to
        `max_word_pieces`.
        """
        ...


class Hit(msgspec.Struct, frozen=True):
    """A chunk found for a question, with what a prompt says of its note.

    `start` and `end` are where it stands in the note's body, in characters.
    """

    note_id: str
    position: int
    title: str
    heading: str
    text: str
    start: int
    end: int
    author: str
    date: date | None
    tags: tuple[str, ...]
    verses: tuple[Verses, ...]
    score: float
    """Cosine similarity to the question, -1 to 1."""
    cost: TokenCount | None = None
    """See `Chunk.cost`."""
    bonus: float = 0.0
    """What words and names add to the score: 0 in dense search, BM25 itself in lexical."""

    @property
    def relevance(self) -> float:
        """The number that `min_score` is held against: the score with its bonus."""
        return self.score + self.bonus

    @property
    def chunk_id(self) -> str:
        """`note#position`, unique within the user."""
        return f"{self.note_id}#{self.position}"


def hit_of(note: Note, chunk: Chunk, score: float) -> Hit:
    """A chunk of `note` as a search finds it, with a cosine of `score`."""
    return Hit(
        note_id=note.id,
        position=chunk.position,
        title=note.title,
        heading=chunk.heading,
        text=chunk.text,
        start=chunk.start,
        end=chunk.end,
        author=note.author,
        date=note.date,
        tags=note.tags,
        verses=note.verses,
        score=score,
        cost=chunk.cost,
    )


@dataclass(frozen=True, slots=True)
class Ranking:
    """Hits, the best first: by score where the search is dense, else by words or by both."""

    hits: tuple[Hit, ...] = ()
    missed: int = 0
    """Hits that an index search did not find though they exist; an exact one then found all."""
    rarity: Mapping[str, float] = field(default_factory=dict, compare=False)
    """The idf among the user's chunks of each word that the question asks by, where the search
    reads words: ln(1 + (n - having + 0.5) / (having + 0.5)), for a word that no chunk has, too."""


class Retriever(Protocol):
    """Search over one user's live chunks."""

    async def search(self, user: UserId, query: Query, *, k: int) -> Ranking:
        """The `k` chunks of `user` that answer `query` best, by the retriever's mode.

        Raises:
            EmbedderMismatch: the user's chunks were embedded by another model.
            DatabaseUnavailable: the store cannot be reached.
        """
        ...
