"""One edit of a note: a sentence of it replaced, deleted or appended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from rag_core.domain import Note, sentence_spans

Span = tuple[int, int]
"""Characters of a note's body, from the first to behind the last."""


class Edit(StrEnum):
    """What is done to which note; the first four to one that an answer rests on."""

    CITED = "sentence replaced in a source"
    ELSEWHERE = "sentence replaced elsewhere in the note"
    APPENDED = "sentence appended"
    DELETED = "sentence deleted"
    OTHER = "sentence replaced in another note"


@dataclass(frozen=True, slots=True)
class Editor:
    """Draws edits; new sentences are real ones, from the user's other notes."""

    notes: Sequence[Note]
    rng: np.random.Generator

    def edited(self, note: Note, kind: Edit, sources: Sequence[Span] = ()) -> Note | None:
        """`note` after one edit, given where its `sources` stand; None if it has no such place."""
        spans = _sentences(note)
        match kind:
            case Edit.APPENDED:
                return replace(note, body=f"{note.body} {self._sentence(note)}")
            case Edit.CITED:
                spans = [span for span in spans if _overlaps(span, sources)]
            case Edit.ELSEWHERE:
                spans = [span for span in spans if not _overlaps(span, sources)]
        if not spans:
            return None
        start, end = spans[self.rng.integers(len(spans))]
        new = "" if kind is Edit.DELETED else self._sentence(note)
        body = note.body[:start] + new + note.body[end:]
        return replace(note, body=body) if body.strip() and body != note.body else None

    def other(self, known: Sequence[str]) -> Note:
        """A note drawn from those whose ids are not `known`."""
        others = [note for note in self.notes if note.id not in known] or list(self.notes)
        return others[self.rng.integers(len(others))]

    def _sentence(self, note: Note) -> str:
        donor = self.other([note.id])
        spans = _sentences(donor) or [(0, len(donor.body))]
        start, end = spans[self.rng.integers(len(spans))]
        return donor.body[start:end]


def _sentences(note: Note) -> list[Span]:
    """The sentences of a note, headings left out."""
    return [(a, b) for a, b in sentence_spans(note.body) if not note.body[a:b].startswith("#")]


def _overlaps(span: Span, sources: Sequence[Span]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in sources)
