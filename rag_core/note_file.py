"""Reading notes from JSON lines, every mistake named by line and field."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import msgspec

from rag_core.errors import InvalidInput
from rag_core.notes import MAX_BODY_CHARACTERS, Note, Verses

MAX_TITLE_CHARACTERS = 500
"""A title stands above each of its note's sources in a prompt."""

_AT_FIELD = re.compile(r"`\$\.?([^`\[]*)[^`]*`")
_REQUIRED = re.compile(r"missing required field `(\w+)`")
_UNKNOWN = re.compile(r"unknown field `(\w+)`")
_EXAMPLE = '{"id": "2024-05-12", "title": "On grace", "body": "…", "date": "2024-05-12"}'


class _Record(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    title: str
    body: str
    author: str = ""
    date: date | None = None
    tags: tuple[str, ...] = ()
    verses: tuple[tuple[str, int, int, int], ...] = ()


def read_notes(path: Path) -> list[Note]:
    """All notes of a JSON-lines file, in its order; nothing when a single line is wrong.

    Raises:
        InvalidInput: the file cannot be read, or a line is not a note; names line and field.
    """
    try:
        lines = path.read_bytes().removeprefix(BOM_UTF8).splitlines()
    except OSError as error:
        raise InvalidInput(str(path), f"cannot be read: {error.strerror}") from error
    notes: dict[str, Note] = {}
    for number, line in _numbered(lines):
        where = f"{path} line {number}"
        note = parse_note(line, where)
        if note.id in notes:
            raise InvalidInput(
                f"{where}, field id",
                f"{note.id!r} stands on an earlier line too",
                "Use each id once",
            )
        notes[note.id] = note
    if not notes:
        raise InvalidInput(str(path), "holds no notes", f"One JSON object a line: {_EXAMPLE}")
    return list(notes.values())


def parse_note(line: bytes, where: str) -> Note:
    """One note from its JSON.

    Raises:
        InvalidInput: names `where` and the field.
    """
    try:
        record = msgspec.json.decode(line, type=_Record)
    except msgspec.ValidationError as error:
        raise _invalid(str(error), where) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(where, f"is not valid JSON: {error}", f"Write {_EXAMPLE}") from error
    _check(record, where)
    return Note(
        id=record.id,
        title=record.title,
        body=record.body,
        author=record.author,
        date=record.date,
        tags=record.tags,
        verses=tuple(Verses(*verses) for verses in record.verses),
    )


def _numbered(lines: list[bytes]) -> Iterator[tuple[int, bytes]]:
    return ((number, line) for number, line in enumerate(lines, start=1) if line.strip())


def _invalid(message: str, where: str) -> InvalidInput:
    """msgspec's message with the field in front."""
    for pattern in (_REQUIRED, _UNKNOWN, _AT_FIELD):
        if match := pattern.search(message):
            field = match.group(1)
            break
    else:
        field = ""
    problem = message.partition(" - at ")[0]
    fix = 'Dates are written "2024-05-12"' if field == "date" else f"A note looks like {_EXAMPLE}"
    return InvalidInput(f"{where}, field {field}" if field else where, problem, fix)


def _texts(record: _Record) -> Iterator[tuple[str, Sequence[str]]]:
    """Each field with the texts it holds."""
    for field in ("id", "title", "body", "author"):
        yield field, (getattr(record, field),)
    yield "tags", record.tags
    yield "verses", [book for book, *_ in record.verses]


def _check(record: _Record, where: str) -> None:
    """What types cannot say."""
    if not record.id.strip() or len(record.id) > 200:
        raise InvalidInput(f"{where}, field id", "must have 1 to 200 characters")
    for field in ("title", "author"):
        if len(getattr(record, field)) > MAX_TITLE_CHARACTERS:
            raise InvalidInput(
                f"{where}, field {field}", f"has more than {MAX_TITLE_CHARACTERS} characters"
            )
    if not record.body.strip():
        raise InvalidInput(f"{where}, field body", "is empty", "A note needs some text")
    if len(record.body) > MAX_BODY_CHARACTERS:
        raise InvalidInput(
            f"{where}, field body",
            f"has {len(record.body):,} characters, more than {MAX_BODY_CHARACTERS:,}",
            "Split it into several notes",
        )
    for field, texts in _texts(record):
        if any("\x00" in text for text in texts):
            raise InvalidInput(f"{where}, field {field}", "holds a NUL character", "Remove it")
    for book, chapter, first, last in record.verses:
        if not 0 <= first <= last or chapter < 0:
            raise InvalidInput(
                f"{where}, field verses",
                f"{[book, chapter, first, last]} is not a range of verses",
                'Write ["Gen", 4, 1, 7] for Genesis 4:1-7',
            )
