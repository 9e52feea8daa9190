"""Notes: what a user wrote, and the bounds of every field."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import NamedTuple, NoReturn

from rag_core.errors import InvalidInput

MAX_ID_CHARACTERS = 200
"""Characters of an id; it is a key of an index, at four bytes a character at most."""

MAX_TITLE_CHARACTERS = 500
"""Characters of a title or an author; both stand above each of their note's sources in a prompt."""

MAX_BODY_CHARACTERS = 1_000_000

MAX_TAGS, MAX_TAG_CHARACTERS = 50, 100
"""Tags of a note, and characters of a tag; both are far above what people write."""

MAX_VERSES, MAX_BOOK_CHARACTERS, MAX_VERSE = 200, 100, 10_000
"""Ranges of a note, and the highest chapter or verse; the longest psalm has 176."""

_Refuse = Callable[[str, str, str], NoReturn]


class Verses(NamedTuple):
    """A range of verses in one chapter, both ends included.

    The number of the `chapter`, and the numbers of its `first` and its `last` verse.
    """

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


def check_note(note: Note, where: str = "") -> None:
    """Hold every field to its bounds; whoever stores a note asks this first.

    Args:
        where: names the note in the error; its id where nothing is given.

    Raises:
        InvalidInput: names `where` and the field, and how to mend it.
    """

    def refuse(field: str, problem: str, fix: str) -> NoReturn:
        place = where or f"note {note.id[:MAX_ID_CHARACTERS]!r}"
        raise InvalidInput(f"{place}, field {field}", problem, fix)

    _check_texts(note, refuse)
    _check_lengths(note, refuse)
    _check_verses(note.verses, refuse)
    if isinstance(note.date, datetime):
        refuse("date", "has a time of day", 'Give the day alone, as in "2024-05-12"')


def _check_texts(note: Note, refuse: _Refuse) -> None:
    """What neither Postgres nor a tokenizer takes."""
    for field, texts in _texts(note):
        for text in texts:
            if "\x00" in text:
                refuse(field, "holds a NUL character", "Remove it")
            if not _is_unicode(text):
                refuse(field, "holds half of a surrogate pair", "Write the whole character")


def _check_lengths(note: Note, refuse: _Refuse) -> None:
    if not note.id.strip() or len(note.id) > MAX_ID_CHARACTERS:
        refuse("id", f"must have 1 to {MAX_ID_CHARACTERS} characters", "Choose another id")
    for field, text in (("title", note.title), ("author", note.author)):
        if len(text) > MAX_TITLE_CHARACTERS:
            refuse(field, f"has more than {MAX_TITLE_CHARACTERS} characters", "Shorten it")
    if not note.body.strip():
        refuse("body", "is empty", "A note needs some text")
    if len(note.body) > MAX_BODY_CHARACTERS:
        problem = f"has {len(note.body):,} characters, more than {MAX_BODY_CHARACTERS:,}"
        refuse("body", problem, "Split it into several notes")
    if len(note.tags) > MAX_TAGS:
        refuse("tags", f"are {len(note.tags):,}, more than {MAX_TAGS}", "Keep the best of them")
    if any(len(tag) > MAX_TAG_CHARACTERS for tag in note.tags):
        refuse("tags", f"hold one of more than {MAX_TAG_CHARACTERS} characters", "Shorten it")


def _check_verses(verses: tuple[Verses, ...], refuse: _Refuse) -> None:
    if len(verses) > MAX_VERSES:
        refuse("verses", f"are {len(verses):,}, more than {MAX_VERSES}", "Join ranges, or split it")
    for book, chapter, first, last in verses:
        if len(book) > MAX_BOOK_CHARACTERS:
            refuse("verses", f"name a book of more than {MAX_BOOK_CHARACTERS} characters", "Cut it")
        if max(chapter, last) > MAX_VERSE:
            refuse("verses", f"hold a number above {MAX_VERSE:,}", "Number them as the book does")
        if not 0 <= first <= last or chapter < 0:
            refuse(
                "verses",
                f"{[book, chapter, first, last]} is not a range of verses",
                'Write ["Gen", 4, 1, 7] for Genesis 4:1-7',
            )


def _texts(note: Note) -> Iterator[tuple[str, Iterable[str]]]:
    """Each field with the texts it holds."""
    yield "id", (note.id,)
    yield "title", (note.title,)
    yield "body", (note.body,)
    yield "author", (note.author,)
    yield "tags", note.tags
    yield "verses", (verses.book for verses in note.verses)


def _is_unicode(text: str) -> bool:
    """Whether `text` can be written as UTF-8; half of a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
