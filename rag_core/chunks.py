"""Chunks: the pieces of a note that are embedded and found."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from rag_core.errors import ConfigurationError
from rag_core.notes import Note
from rag_core.sentences import sentence_spans
from rag_core.tokens import Tokenizer

LONGEST_TOKEN = 20
"""Characters. Prose has 4 to 5 a token; what has more is cut there without counting all of it, or
a megabyte without a full stop would be counted thousands of times."""

_SLACK = 2

_HEADING = re.compile(r"^#{1,6}[ \t]+(\S.*)$", re.MULTILINE)
_BLANKS = re.compile(r"\s+")


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


class _Piece(NamedTuple):
    """A sentence, or a part of an over-long one, in a note's body."""

    start: int
    end: int
    tokens: int
    gap: int
    """Tokens of the white space before it."""


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
        return f"sentences-2:{self.max_tokens}:{self.overlap_tokens}"

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
        window: list[_Piece] = []
        for piece in self._pieces(body, start, end):
            if window and not self._fit(body, [*window, piece], self.max_tokens):
                yield window[0].start, window[-1].end
                window = self._overlap(body, window, piece)
            window.append(piece)
        if window:
            yield window[0].start, window[-1].end

    def _overlap(self, body: str, window: list[_Piece], piece: _Piece) -> list[_Piece]:
        """The last sentences of `window` that can be said again in front of `piece`."""
        kept: list[_Piece] = []
        for earlier in reversed(window):
            longer = [earlier, *kept]
            repeated = self._fit(body, longer, self.overlap_tokens)
            if not repeated or not self._fit(body, [*longer, piece], self.max_tokens):
                break
            kept = longer
        return kept

    def _fit(self, body: str, pieces: list[_Piece], max_tokens: int) -> bool:
        """Whether the pieces, joined as they stand in `body`, have at most `max_tokens`.

        Where two pieces meet, the joined text may have a token more or less than its parts: only
        what is far enough from the limit is judged without counting it.
        """
        least = sum(piece.tokens for piece in pieces)
        most = least + sum(piece.gap + _SLACK for piece in pieces)
        if least > max_tokens or most <= max_tokens:
            return most <= max_tokens
        return self.tokenizer.count(body[pieces[0].start : pieces[-1].end]) <= max_tokens

    def _pieces(self, body: str, start: int, end: int) -> Iterator[_Piece]:
        """Sentences, or parts of over-long ones, that fit the budget."""
        before = start
        for first, last in sentence_spans(body[start:end]):
            first, last = first + start, last + start
            while first < last:
                until, tokens = self._longest(body, first, last)
                yield _Piece(first, until, tokens, self.tokenizer.count(body[before:first]))
                before, first = until, _skip_blanks(body, until, last)

    def _longest(self, body: str, first: int, last: int) -> tuple[int, int]:
        """End and tokens of what fits: the sentence, else up to a blank, else mid-word."""
        text = body[first : min(last, first + self.max_tokens * LONGEST_TOKEN)]
        tokens = self.tokenizer.count(text)
        if first + len(text) == last and tokens <= self.max_tokens:
            return last, tokens
        prefix = self.tokenizer.truncate(text, self.max_tokens)
        blanks = list(_BLANKS.finditer(prefix, 1))
        until = first + (blanks[-1].start() if blanks else max(1, len(prefix)))
        return until, self.tokenizer.count(body[first:until])


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
        heading, start = match.group(1).rstrip(), match.end()
    if body[start:].strip():
        yield heading, start, len(body)


def _skip_blanks(text: str, start: int, end: int) -> int:
    found = _BLANKS.match(text, start, end)
    return found.end() if found else start
