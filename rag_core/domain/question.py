"""Questions: what a user asked, made safe to work with."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from rag_core.domain.tokens import Tokenizer
from rag_core.errors import InvalidInput

MAX_CHARACTERS = 8_000
"""Longer input is no question: refused with an error rather than cut."""

# Control and format characters (zero-width joiners, direction marks, …) except white space.
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn"}
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Question:
    """The normalised text of a question, within the token budget."""

    text: str
    truncated: bool = False
    """The user wrote more than the budget; only the beginning is used."""


def normalise(raw: str) -> str:
    """NFKC, without control and invisible characters, runs of white space as one blank."""
    if raw.isascii() and raw.isprintable():  # what nearly every question is; ~20 times cheaper
        return " ".join(raw.split())
    kept = (c for c in raw if c.isspace() or unicodedata.category(c) not in _INVISIBLE)
    text = unicodedata.normalize("NFKC", "".join(kept))  # last, as what was apart may now compose
    return _BLANKS.sub(" ", text).strip()


def validate_question(raw: str, *, tokenizer: Tokenizer, max_tokens: int) -> Question:
    """Normalise `raw` and cut it to `max_tokens` tokens.

    Raises:
        InvalidInput: nothing readable is left, or it is longer than `MAX_CHARACTERS`.
    """
    if len(raw) > MAX_CHARACTERS:
        raise InvalidInput(
            "question",
            f"{len(raw):,} characters are more than the {MAX_CHARACTERS:,} allowed",
            "Ask in a sentence or two",
        )
    text = normalise(raw)
    if not text:
        raise InvalidInput("question", "is empty", "Write what you want to know")
    if len(text.encode()) <= max_tokens:  # a token is at least one byte
        return Question(text)
    cut = tokenizer.truncate(text, max_tokens).strip()
    return Question(cut, truncated=len(cut) < len(text))
