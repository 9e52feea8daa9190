"""Counting tokens: the generator's for budgets, the embedder's for what is embedded."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Protocol

import msgspec


class Tokenizer(Protocol):
    """Splits text as the generator does; special tokens are never added."""

    @property
    def name(self) -> str:
        """Names the rules: one that may split otherwise is called otherwise."""
        ...

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


class TokenCount(msgspec.Struct, frozen=True):
    """How many tokens a text has, kept beside what says of which text that is true."""

    tokens: int
    of: str
    """`counted_text` of the text and the tokenizer."""


def counted_text(text: str, tokenizer: Tokenizer) -> str:
    """Names `text` as `tokenizer` reads it: the first 64 bits of a SHA-256, 16 hex digits."""
    return hashlib.sha256(f"{tokenizer.name}\n{text}".encode()).hexdigest()[:16]


def count_once(text: str, tokenizer: Tokenizer) -> TokenCount:
    """The tokens of `text`, for whoever keeps them."""
    return TokenCount(tokenizer.count(text), counted_text(text, tokenizer))


def count_again(text: str, tokenizer: Tokenizer, kept: TokenCount | None) -> int:
    """What was `kept`, if that is of this very text by this very tokenizer; else counted."""
    if kept and kept.of == counted_text(text, tokenizer):
        return kept.tokens
    return tokenizer.count(text)
