"""Stored notes as they are read: whole, or page by page without what they say."""

from __future__ import annotations

from typing import Any

from rag_core.adapters.postgres.database import Database
from rag_core.domain.note_store import NoteHead
from rag_core.domain.notes import Note, Verses
from rag_core.domain.user import UserId

_NOTES = """
SELECT id, title, body, author, date, tags, verses FROM notes
WHERE user_id = %s AND deleted_at IS NULL
"""
_PAGE = """
SELECT id, version, title, author, date, tags FROM notes
WHERE user_id = %s AND deleted_at IS NULL AND id > %s ORDER BY id LIMIT %s
"""


async def read_notes(database: Database, user: UserId) -> list[Note]:
    """The user's live notes in order of id.

    Raises:
        DatabaseUnavailable: Postgres cannot be reached.
    """
    return [_note(row) for row in await database.fetch(f"{_NOTES} ORDER BY id", (user,))]


async def read_note(database: Database, user: UserId, note_id: str) -> Note | None:
    """One live note.

    Raises:
        DatabaseUnavailable: Postgres cannot be reached.
    """
    rows = await database.fetch(f"{_NOTES} AND id = %s", (user, note_id))
    return _note(rows[0]) if rows else None


async def read_page(database: Database, user: UserId, after: str, most: int) -> list[NoteHead]:
    """The number of `most` live notes that follow the id `after`.

    Raises:
        DatabaseUnavailable: Postgres cannot be reached.
    """
    rows = await database.fetch(_PAGE, (user, after, most))
    return [_head(row) for row in rows]


def _head(row: tuple[Any, ...]) -> NoteHead:
    note_id, version, title, author, date, tags = row
    return NoteHead(note_id, version, title, author, date, tuple(tags))


def _note(row: tuple[Any, ...]) -> Note:
    note_id, title, body, author, date, tags, verses = row
    return Note(
        note_id, title, body, author, date, tuple(tags), tuple(Verses(*verse) for verse in verses)
    )
