"""Counting tokens: budgets are in tokens of the generator's own tokenizer."""

from __future__ import annotations

from typing import Protocol


class Tokenizer(Protocol):
    """Splits text as the generator does; special tokens are never added."""

    def count(self, text: str) -> int:
        """Number of tokens in `text`."""
        ...

    def truncate(self, text: str, max_tokens: int) -> str:
        """The longest prefix of `text`, character for character, within `max_tokens`."""
        ...
