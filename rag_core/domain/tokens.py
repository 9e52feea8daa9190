"""Counting tokens: the generator's for budgets, the embedder's for what is embedded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Tokenizer(Protocol):
    """Splits text as the generator does; special tokens are never added."""

    def count(self, text: str) -> int:
        """Number of tokens in `text`."""
        ...

    def truncate(self, text: str, max_tokens: int) -> str:
        """The longest prefix of `text`, character for character, within `max_tokens`."""
        ...


class WordPieceCounter(Protocol):
    """Counts text as an embedder reads it; special tokens are never counted."""

    @property
    def max_word_pieces(self) -> int:
        """The embedder reads no more of a text than this."""
        ...

    def count_word_pieces(self, text: str) -> int:
        """Number of word pieces in the whole of `text`; none spans two lines."""
        ...


@dataclass(frozen=True, slots=True)
class _Unlimited:
    max_word_pieces: int = 1_000_000

    def count_word_pieces(self, text: str) -> int:
        return 0


UNLIMITED: WordPieceCounter = _Unlimited()
"""For chunks that no embedder cuts."""
