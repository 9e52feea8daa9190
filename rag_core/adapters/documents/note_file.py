"""Reading notes from JSON lines, every mistake named by line and field."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec

from rag_core.domain.notes import MAX_BODY_CHARACTERS, Note, Verses, check_note
from rag_core.errors import InvalidInput

MAX_LINE_BYTES = 16 * MAX_BODY_CHARACTERS
"""A character takes twelve bytes at most, escaped as a surrogate pair; the rest is for the other
fields."""

_SHOWN_CHARACTERS = 200

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
    notes: dict[str, Note] = {}
    for number, line in _lines(path):
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
    if len(line) > MAX_LINE_BYTES:
        raise InvalidInput(
            where, f"is longer than {MAX_LINE_BYTES:,} bytes", "Write one note a line"
        )
    try:
        record = msgspec.json.decode(line, type=_Record)
    except msgspec.ValidationError as error:
        raise _invalid(str(error), where) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(
            where, f"is not valid JSON: {_shown(str(error))}", f"Write {_EXAMPLE}"
        ) from error
    note = Note(
        id=record.id,
        title=record.title,
        body=record.body,
        author=record.author,
        date=record.date,
        tags=record.tags,
        verses=tuple(Verses(*verses) for verses in record.verses),
    )
    check_note(note, where)
    return note


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, numbered from 1; none is read much beyond what is allowed."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(MAX_LINE_BYTES + 3), b""), 1):
                content = line.removeprefix(BOM_UTF8) if number == 1 else line
                if content.strip():
                    yield number, content.rstrip(b"\r\n")
    except OSError as error:
        raise InvalidInput(str(path), f"cannot be read: {error.strerror}") from error


def _invalid(message: str, where: str) -> InvalidInput:
    """msgspec's message with the field in front."""
    for pattern in (_REQUIRED, _UNKNOWN, _AT_FIELD):
        if match := pattern.search(message):
            field = match.group(1)
            break
    else:
        field = ""
    problem = _shown(message.partition(" - at ")[0])
    fix = 'Dates are written "2024-05-12"' if field == "date" else f"A note looks like {_EXAMPLE}"
    return InvalidInput(f"{where}, field {_shown(field)}" if field else where, problem, fix)


def _shown(text: str) -> str:
    """On one line, and not all of what is endless."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_CHARACTERS else line[:_SHOWN_CHARACTERS] + "…"
