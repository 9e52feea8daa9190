"""Notes: what a user wrote."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import NamedTuple

MAX_BODY_CHARACTERS = 1_000_000


class Verses(NamedTuple):
    """A range of verses in one chapter, both ends included."""

    book: str
    chapter: int
    first: int
    last: int

    def __str__(self) -> str:
        span = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return f"{self.book} {self.chapter}:{span}"


@dataclass(frozen=True)
class Note:
    """One note; the user it belongs to is said beside it, never inside it."""

    id: str
    title: str
    body: str
    author: str = ""
    date: date | None = None
    tags: tuple[str, ...] = ()
    verses: tuple[Verses, ...] = ()

    @cached_property
    def version(self) -> str:
        """SHA-256 over everything the note says, in hex; equal notes have equal versions."""
        content = [
            self.title,
            self.body,
            self.author,
            self.date.isoformat() if self.date else None,
            self.tags,
            self.verses,
        ]
        return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()
