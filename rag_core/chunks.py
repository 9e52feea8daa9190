"""Chunks: the pieces of a note that are embedded and found."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from rag_core.errors import ConfigurationError
from rag_core.notes import Note
from rag_core.sentences import sentence_spans
from rag_core.tokens import Tokenizer

_HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class Chunk:
    """A verbatim piece of a note's body: `note.body[start:end] == text`."""

    note_id: str
    position: int
    title: str
    heading: str
    text: str
    start: int
    end: int

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
    def name(self) -> str: ...

    def __call__(self, note: Note) -> tuple[Chunk, ...]: ...


@dataclass(frozen=True)
class SentenceChunker:
    """Whole sentences up to `max_tokens`, each chunk repeating about `overlap_tokens` of the last.

    A chunk never crosses a Markdown heading (`## …`), and carries the heading it stands under.
    A single sentence over the budget is cut at word boundaries.
    """

    tokenizer: Tokenizer
    max_tokens: int = 200
    overlap_tokens: int = 40

    def __post_init__(self) -> None:
        if not 0 <= self.overlap_tokens < self.max_tokens:
            raise ConfigurationError(
                "RAG_CHUNK_OVERLAP_TOKENS",
                f"must be in [0, {self.max_tokens}), got {self.overlap_tokens!r}",
            )

    @property
    def name(self) -> str:
        return f"sentences-1:{self.max_tokens}:{self.overlap_tokens}"

    def __call__(self, note: Note) -> tuple[Chunk, ...]:
        pieces = (
            (heading, start, end)
            for heading, section_start, section_end in sections(note.body)
            for start, end in self._spans(note.body, section_start, section_end)
        )
        return tuple(
            Chunk(note.id, position, note.title, heading, note.body[start:end], start, end)
            for position, (heading, start, end) in enumerate(pieces)
        )

    def _spans(self, body: str, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Windows of whole sentences within `body[start:end]`."""
        window: list[tuple[int, int, int]] = []
        for piece in self._counted(body, start, end):
            if window and sum(tokens for _, _, tokens in window) + piece[2] > self.max_tokens:
                yield window[0][0], window[-1][1]
                window = self._overlap(window, room=self.max_tokens - piece[2])
            window.append(piece)
        if window:
            yield window[0][0], window[-1][1]

    def _overlap(self, window: list[tuple[int, int, int]], room: int) -> list[tuple[int, int, int]]:
        kept: list[tuple[int, int, int]] = []
        budget = min(self.overlap_tokens, room)
        for piece in reversed(window):
            budget -= piece[2]
            if budget < 0:
                break
            kept.insert(0, piece)
        return kept

    def _counted(self, body: str, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Spans of sentences with their token counts, none above the budget."""
        for first, last in sentence_spans(body[start:end]):
            first, last = first + start, last + start
            while (tokens := self.tokenizer.count(body[first:last])) > self.max_tokens:
                cut = self._cut(body, first, last)
                yield first, cut, self.tokenizer.count(body[first:cut])
                first = cut + len(body[cut:last]) - len(body[cut:last].lstrip())
            if first < last:
                yield first, last, tokens

    def _cut(self, body: str, first: int, last: int) -> int:
        """Where to cut an over-long sentence: the last blank that fits, else mid-word."""
        prefix = self.tokenizer.truncate(body[first:last], self.max_tokens)
        at = max(prefix.rfind(" "), prefix.rfind("\n"))
        return first + (at if at > 0 else max(1, len(prefix)))


@dataclass(frozen=True)
class WholeNoteChunker:
    """The note as one chunk; the embedder truncates it (how published BEIR figures are made)."""

    name: str = "whole-1"

    def __call__(self, note: Note) -> tuple[Chunk, ...]:
        return (Chunk(note.id, 0, note.title, "", note.body, 0, len(note.body)),)


def sections(body: str) -> Iterator[tuple[str, int, int]]:
    """`(heading, start, end)` of the body's Markdown sections that hold text."""
    heading, start = "", 0
    for match in _HEADING.finditer(body):
        if body[start : match.start()].strip():
            yield heading, start, match.start()
        heading, start = match.group(1), match.end()
    if body[start:].strip():
        yield heading, start, len(body)
