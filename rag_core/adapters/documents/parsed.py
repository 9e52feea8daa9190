"""What a converter gives: the words of a file, and what the file says of itself."""

from __future__ import annotations

import re
from datetime import date

import msgspec

from rag_core.domain.notes import MAX_TAG_CHARACTERS, MAX_TAGS, Verses


class Parsed(msgspec.Struct, frozen=True, kw_only=True):
    """A file's text as Markdown, and its own metadata; empty where it says nothing."""

    text: str
    id: str = ""
    title: str = ""
    author: str = ""
    date: date | None = None
    tags: tuple[str, ...] = ()
    verses: tuple[Verses, ...] = ()
    pages: int | None = None
    said_in: str = ""
    """Where the file says these things of itself, in words."""


def keywords(line: str) -> tuple[str, ...]:
    """Tags of a line that commas or semicolons part; what is too long for one is a sentence."""
    words = (" ".join(word.split()) for word in re.split(r"[,;]", line))
    return tuple(word for word in words if 0 < len(word) <= MAX_TAG_CHARACTERS)[:MAX_TAGS]
