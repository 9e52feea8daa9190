"""Windows: runs of whole sentences that are within the limits of two tokenizers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from rag_core.domain.sentences import sentence_spans
from rag_core.domain.tokens import Tokenizer, WordPieceCounter

_LONGEST_TOKEN = 20
"""Characters. Prose has 4 to 5 a token; what has more is cut there without counting all of it, or
a megabyte without a full stop would be counted thousands of times."""

_SLACK = 2
"""Where two texts meet, the joined text may have a token or two more or less than its parts."""

_BLANKS = re.compile(r"\s+")


class Limits(NamedTuple):
    """What a text may hold: tokens of the generator, word pieces of the embedder."""

    tokens: int
    word_pieces: int


class _Run(NamedTuple):
    """Sentences, or a part of one, as they stand in the body."""

    start: int
    end: int
    tokens: int
    word_pieces: int
    slack: int = 0
    """By so much of either the sums may be too low."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Cuts parts of `body` into windows of at most `most`, repeating at most `overlap`."""

    body: str
    tokenizer: Tokenizer
    embedder: WordPieceCounter
    most: Limits
    overlap: Limits

    def within(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """`(start, end)` of the windows of `body[start:end]`; they cover all but its blanks."""
        sentences: list[_Run] = []
        window: _Run | None = None
        for sentence in self._sentences(start, end):
            longer = self._joined(window, sentence, self.most) if window else sentence
            if window and longer is None:
                yield window.start, window.end
                sentences, longer = self._overlapping(sentences, sentence)
            sentences.append(sentence)
            window = longer
        if window:
            yield window.start, window.end

    def _overlapping(self, sentences: list[_Run], following: _Run) -> tuple[list[_Run], _Run]:
        """The last sentences that can be said again before `following`, and all of them joined."""
        kept: list[_Run] = []
        window = following
        repeated: _Run | None = None
        for sentence in reversed(sentences):
            repeated = self._joined(sentence, repeated, self.overlap)
            longer = self._joined(repeated, following, self.most) if repeated else None
            if longer is None:
                break
            kept, window = [sentence, *kept], longer
        return kept, window

    def _joined(self, one: _Run, other: _Run | None, limits: Limits) -> _Run | None:
        """Both and what is between them, if that is within `limits`.

        Only what is near a limit is counted again: most is judged by the sum of its parts.
        """
        run = one
        if other:
            slack = one.slack + other.slack + _SLACK + self._gap(one.end, other.start)
            tokens, word_pieces = one.tokens + other.tokens, one.word_pieces + other.word_pieces
            run = _Run(one.start, other.end, tokens, word_pieces, slack)
        if not _fits(run, limits):
            return None
        if run.slack and not _fits(run, limits, run.slack):
            run = self._counted(run.start, run.end)
        return run if _fits(run, limits) else None

    def _gap(self, start: int, end: int) -> int:
        """Tokens that the blanks between two runs may add.

        One blank is part of the token behind it, any byte is one token at most. Where a word was
        cut there are none, and then nothing is known of the whole.
        """
        blanks = self.body[start:end]
        return 0 if blanks == " " else len(blanks.encode()) or self.most.tokens

    def _sentences(self, start: int, end: int) -> Iterator[_Run]:
        """Sentences, or parts of over-long ones, that fit."""
        for first, last in sentence_spans(self.body[start:end]):
            first, last = first + start, last + start
            while first < last:
                run = self._longest(first, last)
                yield run
                blanks = _BLANKS.match(self.body, run.end, last)
                first = blanks.end() if blanks else run.end

    def _longest(self, first: int, last: int) -> _Run:
        """What fits: the sentence, else up to a blank, else mid-word; one character at least."""
        if last - first <= self.most.tokens * _LONGEST_TOKEN:
            whole = self._counted(first, last)
            if _fits(whole, self.most):
                return whole
        text = self.body[first : min(last, first + self.most.tokens * _LONGEST_TOKEN)]
        prefix = self.tokenizer.truncate(text, self.most.tokens) or self.body[first]
        prefix = read_whole(prefix, self.most.word_pieces, self.embedder)
        if first + len(prefix) < last:
            prefix = whole_words(prefix)
        return self._counted(first, first + len(prefix))

    def _counted(self, start: int, end: int) -> _Run:
        text = self.body[start:end]
        tokens, word_pieces = self.tokenizer.count(text), self.embedder.count_word_pieces(text)
        return _Run(start, end, tokens, word_pieces)


def whole_words(text: str) -> str:
    """`text` without its last word, unless it is the only one."""
    blanks = list(_BLANKS.finditer(text, 1))
    return text[: blanks[-1].start()] if blanks else text


def read_whole(text: str, max_word_pieces: int, embedder: WordPieceCounter) -> str:
    """The beginning of `text` that has no more word pieces than this; one character at least."""
    while len(text) > 1:
        word_pieces = embedder.count_word_pieces(text)
        if word_pieces <= max_word_pieces:
            break
        # Cutting within a word may make more pieces of what is left of it: count again.
        text = text[: max(1, len(text) * max_word_pieces // word_pieces)]
    return text


def _fits(run: _Run, limits: Limits, slack: int = 0) -> bool:
    tokens, word_pieces = run.tokens + slack, run.word_pieces + slack
    return tokens <= limits.tokens and word_pieces <= limits.word_pieces
