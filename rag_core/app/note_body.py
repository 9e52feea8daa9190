"""A note as it is sent and read over HTTP; its id is in the path, its user in the credential."""

from __future__ import annotations

from datetime import date
from urllib.parse import unquote_to_bytes

import msgspec
from starlette.types import Scope

from rag_core.domain.note_store import NoteHead
from rag_core.domain.notes import MAX_ID_CHARACTERS, Note, Verses, check_note
from rag_core.errors import InvalidInput, NotFound

NOTES = "/notes/"


class NoteBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What PUT /notes/{id} takes."""

    title: str
    body: str
    author: str = ""
    date: date | None = None
    tags: tuple[str, ...] = ()
    verses: tuple[tuple[str, float, float, float], ...] = ()
    """Whole numbers, which JSON may write as 4.0, too."""


class StoredNote(msgspec.Struct, frozen=True):
    """What GET /notes/{id} gives."""

    id: str
    version: str
    title: str
    body: str
    author: str
    date: date | None
    tags: tuple[str, ...]
    verses: tuple[Verses, ...]


class NotePage(msgspec.Struct, frozen=True):
    """What GET /notes gives: some of the notes, without what they say."""

    notes: list[NoteHead]
    next: str | None
    """To be given as `after` for those that follow; null after the last."""


note_decoder = msgspec.json.Decoder(NoteBody)


def note_of(note_id: str, body: NoteBody) -> Note:
    """The note that was sent.

    Raises:
        InvalidInput: it cannot be stored; names the field and the fix.
    """
    verses = tuple(_verses(*each) for each in body.verses)
    note = Note(note_id, body.title, body.body, body.author, body.date, body.tags, verses)
    try:
        check_note(note, "note")
    except InvalidInput as error:
        field = error.field.removeprefix("note, field ")
        raise InvalidInput(field, error.problem, error.fix) from None
    return note


def _verses(book: str, *numbers: float) -> Verses:
    if not all(number.is_integer() for number in numbers):
        raise InvalidInput("verses", "hold a number that is not whole", 'Write ["Gen", 4, 1, 7]')
    chapter, first, last = map(int, numbers)
    return Verses(book, chapter, first, last)


def stored_note(note: Note) -> StoredNote:
    """The note as it is read."""
    return StoredNote(
        *(note.id, note.version, note.title, note.body, note.author, note.date),
        *(note.tags, note.verses),
    )


def note_id_of(scope: Scope) -> str:
    """The id in the path, which may hold anything but half a letter.

    Raises:
        NotFound: no note can have that id.
    """
    raw = unquote_to_bytes(scope["raw_path"])[len(NOTES) :]
    try:
        note_id = raw.decode()
    except UnicodeDecodeError:
        raise NotFound("id", "is not UTF-8") from None
    if "\x00" in note_id or not 0 < len(note_id) <= MAX_ID_CHARACTERS:
        raise NotFound("id", "no note can have that id")
    return note_id
