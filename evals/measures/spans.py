"""Spans: where in a note a chunk or a passage stands, and whether one counts for the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from evals.datasets.golden import Passage

COUNTS = 0.5
"""A piece counts for a passage if they share at least this much of the shorter of the two."""


class Piece(Protocol):
    """A piece of a note's body, characters `start` to `end`: a Hit or a Citation."""

    @property
    def note_id(self) -> str:
        """The note that it is a piece of."""
        ...

    @property
    def start(self) -> int:
        """Where it begins in the note's body, in characters."""
        ...

    @property
    def end(self) -> int:
        """Where it ends there, in characters."""
        ...


def shared(first: tuple[int, int], second: tuple[int, int]) -> int:
    """Characters that two spans of one note have in common."""
    return max(0, min(first[1], second[1]) - max(first[0], second[0]))


def covers(piece: Piece, passage: Passage) -> bool:
    """Whether `piece` counts for `passage`: same note, at least half of the shorter in common."""
    if piece.note_id != passage.note:
        return False
    common = shared((piece.start, piece.end), (passage.start, passage.end))
    shorter = min(piece.end - piece.start, passage.end - passage.start)
    return 0 < common >= COUNTS * shorter


@dataclass(frozen=True)
class PassageIndex:
    """Passages of one user by note."""

    by_note: Mapping[str, Sequence[Passage]]

    @classmethod
    def of(cls, passages: Iterable[Passage]) -> PassageIndex:
        """The passages, grouped by their notes."""
        grouped: dict[str, list[Passage]] = defaultdict(list)
        for passage in passages:
            grouped[passage.note].append(passage)
        return cls(grouped)

    def covered_by(self, piece: Piece) -> list[str]:
        """Ids of the passages that `piece` counts for, the one it shares most with first."""
        span = (piece.start, piece.end)
        found = [
            passage for passage in self.by_note.get(piece.note_id, ()) if covers(piece, passage)
        ]
        found.sort(key=lambda passage: -shared(span, (passage.start, passage.end)))
        return [passage.id for passage in found]


def coverage(span: tuple[int, int], pieces: Iterable[tuple[int, int]]) -> float:
    """Share of the characters of `span` that lie in any of `pieces`."""
    covered = set[int]()
    for start, end in pieces:
        covered.update(range(max(start, span[0]), min(end, span[1])))
    return len(covered) / (span[1] - span[0])
