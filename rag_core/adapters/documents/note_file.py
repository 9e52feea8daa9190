"""Reading notes from JSON lines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec

from rag_core.adapters.documents.jsonl import RowReader
from rag_core.domain.notes import Note, Verses, check_note
from rag_core.errors import InvalidInput

_EXAMPLE = '{"id": "2024-05-12", "title": "On grace", "body": "…", "date": "2024-05-12"}'


class _Record(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    title: str
    body: str
    author: str = ""
    date: date | None = None
    tags: tuple[str, ...] = ()
    verses: tuple[tuple[str, int, int, int], ...] = ()


_RECORDS = RowReader(
    _Record,
    fix=f"A note looks like {_EXAMPLE}",
    fixes={"date": 'Dates are written "2024-05-12"'},
)


def read_notes(path: Path) -> list[Note]:
    """All notes of a JSON-lines file, in its order; nothing when a single line is wrong.

    Raises:
        InvalidInput: the file cannot be read, or a line is not a note; names line and field.
    """
    notes = [_note(record, where) for where, record in _RECORDS.read(path)]
    if not notes:
        raise InvalidInput(str(path), "holds no notes", f"One JSON object a line: {_EXAMPLE}")
    return notes


def note_problems(path: Path) -> Iterator[InvalidInput]:
    """Every mistake of a JSON-lines file of notes, of which `read_notes` raises the first."""
    for where, record in _RECORDS.attempts(path):
        try:
            if isinstance(record, InvalidInput):
                raise record
            _note(record, where)
        except InvalidInput as error:
            yield error


def _note(record: _Record, where: str) -> Note:
    fields = msgspec.structs.asdict(record)
    note = Note(**fields | {"verses": tuple(Verses(*verses) for verses in record.verses)})
    check_note(note, where)
    return note
