"""Notes and their chunks: written whole, in one transaction and few round trips."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pgvector import Vector as PgVector

from rag_core.adapters.postgres.chunk_rows import insert_chunks
from rag_core.adapters.postgres.claim import LOCK_USER, claimed, send_claim
from rag_core.adapters.postgres.connection import Connection, Cursor
from rag_core.adapters.postgres.database import Database
from rag_core.adapters.postgres.note_rows import read_note, read_notes, read_page
from rag_core.domain.condition import ALWAYS, Condition
from rag_core.domain.note_store import (
    Conflict,
    EmbeddedNote,
    NoteHead,
    StoredNotes,
    StoredVersion,
)
from rag_core.domain.notes import Note
from rag_core.domain.user import UserId

if TYPE_CHECKING:
    from rag_core.domain.ranking import Vector

_LIBRARY = """
SELECT users.embedder, notes.id, notes.version, notes.chunking,
    ARRAY(SELECT digest FROM embedders)
FROM users LEFT JOIN notes
    ON notes.user_id = users.id AND notes.deleted_at IS NULL {only}
WHERE users.id = %(user)s
"""
_NEW_EPOCH = "UPDATE users SET epoch = gen_random_uuid() WHERE id = %(user)s"
_LACKING_EPOCH = """
UPDATE users SET epoch = gen_random_uuid(), lacks_vectors = true WHERE id = %(user)s
"""
_VECTORS = """
SELECT sha256, embedding FROM chunks
JOIN chunk_vectors USING (user_id, note_id, position)
JOIN users ON users.id = user_id
WHERE user_id = %(user)s AND note_id = ANY(%(ids)s)
    AND (%(embedder)s::text IS NULL OR users.embedder = %(embedder)s)
UNION ALL
SELECT sha256, embedding FROM chunks
JOIN vectors_beside USING (user_id, note_id, position)
WHERE user_id = %(user)s AND note_id = ANY(%(ids)s) AND vectors_beside.embedder = %(embedder)s
"""
_STORED = """
SELECT id, version, chunking, deleted_at IS NULL, greatest(updated_at, deleted_at)
FROM notes WHERE user_id = %(user)s AND id = ANY(%(ids)s) FOR UPDATE
"""
# Columns go as one array each: a statement for a whole batch, and no text to parse.
_UPSERT_NOTES = """
INSERT INTO notes (user_id, chunking, id, version, title, body, author, date, tags, verses)
SELECT %(user)s, %(chunking)s, id, version, title, body, author, date,
       ARRAY(SELECT json_array_elements_text(tags)), verses
FROM unnest(%(id)b::text[], %(version)b::text[], %(title)b::text[], %(body)b::text[],
            %(author)b::text[], %(date)b::date[], %(tags)s::json[], %(verses)s::jsonb[])
    AS note (id, version, title, body, author, date, tags, verses)
ON CONFLICT (user_id, id) DO UPDATE SET
    version = excluded.version, chunking = excluded.chunking, title = excluded.title,
    body = excluded.body, author = excluded.author, date = excluded.date, tags = excluded.tags,
    verses = excluded.verses, updated_at = now(), deleted_at = NULL
"""
_LIVE = "SELECT version FROM notes WHERE user_id = %s AND id = %s AND deleted_at IS NULL"
_DELETE_CHUNKS = "DELETE FROM chunks WHERE user_id = %(user)s AND note_id = ANY(%(ids)s)"
DELETE_NOTE = """
WITH gone AS (
    UPDATE notes SET deleted_at = now()
    WHERE user_id = %(user)s AND id = %(note)s AND deleted_at IS NULL
    RETURNING user_id, id
), chunks_gone AS (
    DELETE FROM chunks USING gone
    WHERE chunks.user_id = %(user)s AND note_id = gone.id
)
UPDATE users SET epoch = gen_random_uuid() WHERE id IN (SELECT user_id FROM gone)
"""


class PostgresNotes:
    """NoteStore over the tables of the migrations; vectors go with their chunks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def stored_notes(
        self, user: UserId, note_ids: Sequence[str] | None = None
    ) -> StoredNotes:
        """See `rag_core.domain.note_store.NoteStore`."""
        only = "" if note_ids is None else "AND notes.id = ANY(%(ids)s)"
        parameters = {"user": user, "ids": list(note_ids or ())}
        rows = await self._database.fetch(_LIBRARY.format(only=only), parameters)
        notes = {row[1]: StoredVersion(row[2], row[3]) for row in rows if row[1] is not None}
        if not rows:
            return StoredNotes(notes, None)
        return StoredNotes(notes, rows[0][0], frozenset(rows[0][4]))

    async def vectors(
        self, user: UserId, note_ids: Sequence[str], *, embedder: str | None = None
    ) -> dict[str, Vector]:
        """See `rag_core.domain.note_store.NoteStore`."""
        asked = {"user": user, "ids": list(note_ids), "embedder": embedder}
        rows = await self._database.fetch(_VECTORS, asked, binary=True)
        return {sha256: _array(vector) for sha256, vector in rows}

    async def read(self, user: UserId) -> list[Note]:
        """See `rag_core.domain.note_store.NoteStore`."""
        return await read_notes(self._database, user)

    async def note(self, user: UserId, note_id: str) -> Note | None:
        """See `rag_core.domain.note_store.NoteStore`."""
        return await read_note(self._database, user, note_id)

    async def page(self, user: UserId, *, after: str = "", most: int = 100) -> list[NoteHead]:
        """See `rag_core.domain.note_store.NoteStore`."""
        return await read_page(self._database, user, after, most)

    async def replace(
        self, user: UserId, notes: Sequence[EmbeddedNote], *, chunking: str, embedder: str
    ) -> list[Conflict]:
        """See `rag_core.domain.note_store.NoteStore`."""

        async def work(connection: Connection) -> list[Conflict]:
            claim = await send_claim(connection, user, embedder)
            ids = {"user": user, "ids": [item.note.id for item in notes]}
            stored = await connection.execute(_STORED, ids)
            beside = await claimed(claim, user, embedder)
            conflicts = _conflicts(notes, await stored.fetchall())
            lost = {conflict.note_id for conflict in conflicts}
            kept = [item for item in notes if item.note.id not in lost]
            await write_notes(connection, user, kept, chunking, beside)
            return conflicts

        return await self._database.write(user, work)

    async def re_embed(
        self, user: UserId, notes: Sequence[EmbeddedNote], *, chunking: str, embedder: str
    ) -> bool:
        """See `rag_core.domain.note_store.NoteStore`."""
        given = {item.note.id: item.note.version for item in notes}

        async def work(connection: Connection) -> bool:
            await connection.execute(LOCK_USER, {"user": user})
            live = await connection.execute(
                "SELECT id, version FROM notes"
                " WHERE user_id = %s AND deleted_at IS NULL FOR UPDATE",
                (user,),
            )
            if dict(await live.fetchall()) != given:
                return False
            await connection.execute("DELETE FROM chunks WHERE user_id = %s", (user,))
            await connection.execute(
                "UPDATE users SET embedder = %s, lacks_vectors = false WHERE id = %s",
                (embedder, user),
            )
            await write_notes(connection, user, notes, chunking)
            return True

        return await self._database.write(user, work)

    async def delete(self, user: UserId, note_id: str, condition: Condition = ALWAYS) -> bool:
        """See `rag_core.domain.note_store.NoteStore`; the note's row stays, its chunks go."""

        async def work(connection: Connection) -> Cursor:
            await connection.execute(LOCK_USER, {"user": user})
            if condition != ALWAYS:
                live = await (await connection.execute(_LIVE, (user, note_id))).fetchone()
                condition.check(live[0] if live else None)
            return await connection.execute(DELETE_NOTE, {"user": user, "note": note_id})

        changed = await self._database.write(user, work)
        return changed.rowcount > 0

    async def deleted(self, before: datetime) -> list[UserId]:
        """See `rag_core.domain.note_store.NoteStore`."""
        rows = await self._database.fetch(
            "SELECT DISTINCT user_id FROM notes WHERE deleted_at < %s ORDER BY user_id", (before,)
        )
        return [row[0] for row in rows]

    async def purge(self, user: UserId, before: datetime) -> int:
        """See `rag_core.domain.note_store.NoteStore`."""

        async def work(connection: Connection) -> Cursor:
            await connection.execute(LOCK_USER, {"user": user})
            # Deleted by plain SQL, a note may still have its chunks.
            await connection.execute(
                "DELETE FROM chunks USING notes WHERE chunks.user_id = %s"
                " AND notes.user_id = chunks.user_id AND notes.id = note_id AND deleted_at < %s",
                (user, before),
            )
            return await connection.execute(
                "DELETE FROM notes WHERE user_id = %s AND deleted_at < %s", (user, before)
            )

        gone = await self._database.write(user, work)
        return gone.rowcount


def _conflicts(notes: Sequence[EmbeddedNote], stored: Sequence[tuple[Any, ...]]) -> list[Conflict]:
    """The notes under whose id something else is stored than the writer saw."""
    rows = {row[0]: row[1:] for row in stored}
    # Removed for good: nobody wrote down when, but not before the writer saw it.
    gone = (None, None, False, datetime.now(UTC))
    conflicts = []
    for item in notes:
        version, chunking, live, changed_at = rows.get(item.note.id, gone)
        current = StoredVersion(version, chunking) if live else None
        if current != item.replaces:
            conflicts.append(Conflict(item.note.id, current, changed_at))
    return conflicts


async def write_notes(
    connection: Connection,
    user: UserId,
    notes: Sequence[EmbeddedNote],
    chunking: str,
    beside: str | None = None,
) -> None:
    """Put the notes in place of what is stored under their ids, under a new epoch.

    Where their embedder stands `beside` the user's own, the latter lacks their vectors.
    """
    if not notes:
        return
    placed = [
        (chunk, vector)
        for item in notes
        for chunk, vector in zip(item.chunks, item.vectors, strict=True)
    ]
    owner = {"user": user, "ids": [item.note.id for item in notes]}
    await connection.execute(_LACKING_EPOCH if beside else _NEW_EPOCH, owner)
    await connection.execute(_DELETE_CHUNKS, owner)
    written = [item.note for item in notes]
    await connection.execute(_UPSERT_NOTES, owner | {"chunking": chunking} | _note_columns(written))
    await insert_chunks(connection, user, placed, beside)


def _note_columns(notes: Sequence[Note]) -> dict[str, list[Any]]:
    return {
        "id": [note.id for note in notes],
        "version": [note.version for note in notes],
        "title": [note.title for note in notes],
        "body": [note.body for note in notes],
        "author": [note.author for note in notes],
        "date": [note.date for note in notes],
        "tags": [json.dumps(note.tags) for note in notes],
        "verses": [json.dumps(note.verses) for note in notes],
    }


def _array(vector: Any) -> Vector:
    """float32[384] from whatever pgvector's binary loader gives."""
    array: Vector = vector.to_numpy() if isinstance(vector, PgVector) else vector
    return array
