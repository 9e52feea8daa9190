"""What a converter gives: the words of a file, and what the file says of itself."""

from __future__ import annotations

from datetime import date

import msgspec

from rag_core.domain.notes import Verses


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
