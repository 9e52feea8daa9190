"""Chunks: the pieces of a note that are embedded and found."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from rag_core.domain.notes import Note
from rag_core.domain.sections import Section, grouped
from rag_core.domain.tokens import UNLIMITED, TokenCount, Tokenizer, WordPieceCounter
from rag_core.domain.windows import Limits, Windows, read_whole, whole_words
from rag_core.errors import ConfigurationError

_REPEATED_CHARACTERS = 200
"""Of a title and of a heading: every chunk repeats them."""

_SHORTEST_SECTION = 16
"""Characters: two or three words are joined with the next section rather than stand alone."""


@dataclass(frozen=True)
class Chunk:
    """A verbatim piece of a note's body: `note.body[start:end] == text`, in characters."""

    note_id: str
    position: int
    title: str
    """As much of the note's title as its chunks repeat."""
    heading: str
    """As much of the heading it stands under."""
    text: str
    start: int
    end: int
    cost: TokenCount | None = None
    """Of the block that a context shows it in, where that was counted."""

    @property
    def embedded_text(self) -> str:
        """What the embedder sees: title, section heading and text, a line each."""
        return "\n".join(part for part in (self.title, self.heading, self.text) if part)

    @property
    def sha256(self) -> str:
        """Hash of `embedded_text`, in hex: an equal hash means an equal vector."""
        return hashlib.sha256(self.embedded_text.encode()).hexdigest()


class Chunker(Protocol):
    """Cuts a note into chunks; `name` changes whenever its cuts may."""

    @property
    def name(self) -> str:
        """Names the way of cutting, and its limits."""
        ...

    def __call__(self, note: Note) -> tuple[Chunk, ...]:
        """The chunks of `note`, in the order of its text."""
        ...


@dataclass(frozen=True)
class SentenceChunker:
    """Whole sentences up to `max_tokens`, each chunk repeating about `overlap_tokens` of the last.

    The embedder reads all of a chunk: title, heading and text stay within its word pieces. A chunk
    carries the heading that it stands under and crosses none, unless the section is a few words;
    headings that no chunk carries whole, or that have no text, are text themselves. A single
    sentence over the budget is cut at word boundaries.
    """

    tokenizer: Tokenizer
    max_tokens: int = 200
    overlap_tokens: int = 40
    embedder: WordPieceCounter = UNLIMITED

    def __post_init__(self) -> None:
        if not 0 <= self.overlap_tokens < self.max_tokens:
            raise ConfigurationError(
                "RAG_CHUNK_OVERLAP_TOKENS",
                f"must be in [0, {self.max_tokens}), got {self.overlap_tokens!r}",
            )

    @property
    def name(self) -> str:
        """See `Chunker`."""
        limits = (self.max_tokens, self.overlap_tokens, self.embedder.max_word_pieces)
        return f"sentences-4:{':'.join(map(str, limits))}"

    def __call__(self, note: Note) -> tuple[Chunk, ...]:
        """See `Chunker`."""
        title = self._repeated(note.title)
        spans = (
            span
            for group in grouped(note.body, max(_SHORTEST_SECTION, len(title) // 4))
            for span in self._spans(note.body, title, group)
        )
        return tuple(
            Chunk(note.id, position, title, heading, note.body[start:end], start, end)
            for position, (heading, start, end) in enumerate(spans)
        )

    def _spans(self, body: str, title: str, group: list[Section]) -> Iterator[tuple[str, int, int]]:
        """`(heading, start, end)` of each chunk of sections that are cut as one."""
        longest = max(group, key=lambda section: section.text_length)
        heading = self._repeated(longest.heading) if longest.text_length else ""
        carried = len(group) == 1 and heading == longest.heading
        begin = group[0].text_start if carried else group[0].start
        for start, end in self._windows(body, title, heading).within(begin, group[-1].end):
            stands_under_it = start < longest.end and longest.start < end
            yield heading if stands_under_it else "", start, end

    def _repeated(self, text: str) -> str:
        """The beginning of a title or heading, a quarter of what the embedder reads at most."""
        if len(text) > _REPEATED_CHARACTERS:
            text = whole_words(text[:_REPEATED_CHARACTERS])
        return read_whole(text, self.embedder.max_word_pieces // 4, self.embedder)

    def _windows(self, body: str, title: str, heading: str) -> Windows:
        """Leaves room for what every chunk repeats; half a chunk is new, whatever the script."""
        repeated = self.embedder.count_word_pieces(f"{title}\n{heading}")
        room = self.embedder.max_word_pieces - repeated
        most, overlap = Limits(self.max_tokens, room), Limits(self.overlap_tokens, room // 2)
        return Windows(body, self.tokenizer, self.embedder, most, overlap)


@dataclass(frozen=True)
class WholeNoteChunker:
    """The note as one chunk; the embedder truncates it (how published BEIR figures are made)."""

    name: str = "whole-1"

    def __call__(self, note: Note) -> tuple[Chunk, ...]:
        """See `Chunker`."""
        return (Chunk(note.id, 0, note.title, "", note.body, 0, len(note.body)),)
