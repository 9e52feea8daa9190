"""What a search is given: a question as text and as a vector, and what it is narrowed to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

from rag_core.domain.books import spellings
from rag_core.domain.notes import Note, Verses

if TYPE_CHECKING:
    from rag_core.domain.ranking import Vector


class SearchMode(StrEnum):
    """What decides which chunks are found for a question, and in which order."""

    DENSE = "dense"
    """How near the chunk's vector is to the question's."""
    LEXICAL = "lexical"
    """The words that both have, by BM25; a chunk that shares no word is not found."""
    HYBRID = "hybrid"
    """The best of both, by the weighted sum of cosine and BM25."""


FUSED_DEPTH = 50
"""Chunks of each side that are fused."""
LEXICAL_WEIGHT = 0.0075
"""What a point of BM25 counts beside the cosine, unless a setting says otherwise: chosen by
`python -m evals fit fusion`."""
NAMED_BONUS = 0.1
"""What it counts that a note is one of those that the question names: chosen, as dev shows no
difference from 0.1 to 0.3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which notes a search is about; a note must meet all that is given."""

    since: date | None = None
    until: date | None = None
    """The last day, itself included; a note without a date meets neither bound."""
    tags: tuple[str, ...] = ()
    """In any letter case; the note has each of them."""
    verses: tuple[Verses, ...] = ()
    """The note has one that overlaps with one of these; a `last` of 0 is the whole chapter."""

    def __bool__(self) -> bool:
        return self != EVERYTHING

    def admits(self, note: Note) -> bool:
        """Whether the note meets them."""
        held = {tag.lower() for tag in note.tags}
        return (
            self._dated(note.date)
            and all(tag.lower() in held for tag in self.tags)
            and (not self.verses or any(_touch(a, b) for a in self.verses for b in note.verses))
        )

    def _dated(self, day: date | None) -> bool:
        if self.since is None and self.until is None:
            return True
        return day is not None and (self.since or day) <= day <= (self.until or day)


EVERYTHING = Filters()


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A question, as a retriever takes it."""

    vector: Vector
    """float32[384], unit length."""
    text: str = ""
    """What was asked: by its words the lexical side is searched."""
    filters: Filters = EVERYTHING
    """Only notes that meet these are found."""
    named: Filters = EVERYTHING
    """What the question names: in hybrid search the nearest 50 of the notes that meet it are a
    third side, and all that meet it count `NAMED_BONUS` more. Where no note does, they change
    nothing."""


def _touch(asked: Verses, held: Verses) -> bool:
    if asked.chapter != held.chapter or held.book.lower() not in spellings(asked.book):
        return False
    whole = not asked.last or not held.last
    return whole or (asked.first <= held.last and held.first <= asked.last)
