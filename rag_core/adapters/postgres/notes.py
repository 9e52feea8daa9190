"""Notes and their chunks: whole-note writes in one transaction, bulk by binary COPY."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from pgvector import Vector as PgVector

from rag_core.adapters.postgres.pool import Pool, translated
from rag_core.cache.epochs import Epoch, EpochBoard, NoBoard
from rag_core.errors import EmbedderMismatch
from rag_core.notes import Note, Verses
from rag_core.store import EmbeddedNote, Library, StoredVersion
from rag_core.user import UserId

if TYPE_CHECKING:
    from rag_core.retrieval import Vector

    Connection = psycopg.AsyncConnection[tuple[Any, ...]]

_UPSERT_NOTE = """
INSERT INTO notes (user_id, id, version, chunking, title, body, author, date, tags, verses)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (user_id, id) DO UPDATE SET
    version = excluded.version, chunking = excluded.chunking, title = excluded.title,
    body = excluded.body, author = excluded.author, date = excluded.date, tags = excluded.tags,
    verses = excluded.verses, updated_at = now(), deleted_at = NULL
"""
_COPY_CHUNKS = """
COPY note_chunks
    (user_id, note_id, position, start_char, end_char, sha256, heading, text, embedding)
FROM STDIN (FORMAT BINARY)
"""
_COPY_TYPES = ["text", "text", "int4", "int4", "int4", "text", "text", "text", "vector"]


class _OtherNotes(Exception):
    """The user's live notes are not those that were expected; rolls the change back."""


class PostgresNotes:
    """NoteStore over the tables of the first migration; tells the board of each change."""

    def __init__(self, pool: Pool, *, board: EpochBoard | None = None) -> None:
        self._pool = pool
        self._board = board or NoBoard()

    async def library(self, user: UserId) -> Library:
        """See `rag_core.store.NoteStore`."""
        async with self._connection() as connection:
            found = await connection.execute(
                "SELECT id, version, chunking FROM notes WHERE user_id = %s AND deleted_at IS NULL",
                (user,),
            )
            notes = {row[0]: StoredVersion(row[1], row[2]) for row in await found.fetchall()}
            found = await connection.execute("SELECT embedder FROM users WHERE id = %s", (user,))
            row = await found.fetchone()
            return Library(notes, row[0] if row else None)

    async def vectors(self, user: UserId, note_ids: Sequence[str]) -> dict[str, Vector]:
        """See `rag_core.store.NoteStore`."""
        async with self._connection() as connection, connection.cursor(binary=True) as cursor:
            await cursor.execute(
                "SELECT sha256, embedding FROM note_chunks"
                " WHERE user_id = %s AND note_id = ANY(%s)",
                (user, list(note_ids)),
            )
            return {sha256: _array(vector) for sha256, vector in await cursor.fetchall()}

    async def read(self, user: UserId) -> list[Note]:
        """See `rag_core.store.NoteStore`."""
        async with self._connection() as connection:
            found = await connection.execute(
                "SELECT id, title, body, author, date, tags, verses FROM notes"
                " WHERE user_id = %s AND deleted_at IS NULL ORDER BY id",
                (user,),
            )
            return [_note(row) for row in await found.fetchall()]

    async def replace(
        self, user: UserId, notes: Sequence[EmbeddedNote], *, chunking: str, embedder: str
    ) -> None:
        """See `rag_core.store.NoteStore`."""
        async with self._change(user) as connection:
            await _claim_embedder(connection, user, embedder)
            await _delete_chunks(connection, user, [item.note.id for item in notes])
            await _write(connection, user, notes, chunking)

    async def re_embed(
        self, user: UserId, notes: Sequence[EmbeddedNote], *, chunking: str, embedder: str
    ) -> bool:
        """See `rag_core.store.NoteStore`."""
        given = {item.note.id: item.note.version for item in notes}
        try:
            async with self._change(user) as connection:
                if await _live_versions(connection, user) != given:
                    raise _OtherNotes
                await connection.execute("DELETE FROM note_chunks WHERE user_id = %s", (user,))
                await connection.execute(
                    "UPDATE users SET embedder = %s WHERE id = %s", (embedder, user)
                )
                await _write(connection, user, notes, chunking)
        except _OtherNotes:
            return False
        return True

    async def delete(self, user: UserId, note_id: str) -> bool:
        """See `rag_core.store.NoteStore`; the note's row stays, its chunks go."""
        if note_id not in (await self.library(user)).notes:
            return False  # nothing changes, and neither does the epoch
        try:
            async with self._change(user) as connection:
                found = await connection.execute(
                    "UPDATE notes SET deleted_at = now()"
                    " WHERE user_id = %s AND id = %s AND deleted_at IS NULL",
                    (user, note_id),
                )
                if not found.rowcount:  # someone else was first
                    raise _OtherNotes
                await _delete_chunks(connection, user, [note_id])
        except _OtherNotes:
            return False
        return True

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        with translated():
            async with self._pool.connection() as connection:
                yield connection

    @asynccontextmanager
    async def _change(self, user: UserId) -> AsyncIterator[Connection]:
        """A transaction that changes the user's notes, alone, and gives them a new epoch."""
        epoch = Epoch(str(uuid.uuid4()))
        async with self._connection() as connection:
            async with connection.transaction():
                await connection.execute(
                    "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (user,)
                )
                announced = await self._board.announce(user, epoch)
                await connection.execute(
                    "INSERT INTO users (id, epoch) VALUES (%s, %s)"
                    " ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch",
                    (user, epoch),
                )
                yield connection
            if announced:
                await self._board.confirm(user, epoch)


async def _claim_embedder(connection: Connection, user: UserId, embedder: str) -> None:
    """Set the user's embedder if there is none yet; refuse another."""
    found = await connection.execute(
        "UPDATE users SET embedder = coalesce(embedder, %s) WHERE id = %s RETURNING embedder",
        (embedder, user),
    )
    row = await found.fetchone()
    if row and row[0] != embedder:
        raise EmbedderMismatch(user, row[0], embedder)


async def _live_versions(connection: Connection, user: UserId) -> dict[str, str]:
    found = await connection.execute(
        "SELECT id, version FROM notes WHERE user_id = %s AND deleted_at IS NULL", (user,)
    )
    return {row[0]: row[1] for row in await found.fetchall()}


async def _delete_chunks(connection: Connection, user: UserId, note_ids: list[str]) -> None:
    await connection.execute(
        "DELETE FROM note_chunks WHERE user_id = %s AND note_id = ANY(%s)", (user, note_ids)
    )


async def _write(
    connection: Connection, user: UserId, notes: Sequence[EmbeddedNote], chunking: str
) -> None:
    async with connection.cursor() as cursor:
        await cursor.executemany(
            _UPSERT_NOTE, [_note_row(user, item.note, chunking) for item in notes]
        )
        async with cursor.copy(_COPY_CHUNKS) as copy:
            copy.set_types(_COPY_TYPES)
            for item in notes:
                for chunk, vector in zip(item.chunks, item.vectors, strict=True):
                    await copy.write_row(
                        (
                            user,
                            chunk.note_id,
                            chunk.position,
                            chunk.start,
                            chunk.end,
                            chunk.sha256,
                            chunk.heading,
                            chunk.text,
                            PgVector(vector),
                        )
                    )


def _note_row(user: UserId, note: Note, chunking: str) -> tuple[Any, ...]:
    verses = json.dumps(note.verses)
    return (
        user,
        note.id,
        note.version,
        chunking,
        note.title,
        note.body,
        note.author,
        note.date,
        list(note.tags),
        verses,
    )


def _note(row: tuple[Any, ...]) -> Note:
    note_id, title, body, author, date, tags, verses = row
    return Note(
        note_id, title, body, author, date, tuple(tags), tuple(Verses(*verse) for verse in verses)
    )


def _array(vector: Any) -> Vector:
    """float32[384] from whatever pgvector's binary loader gives."""
    array: Vector = vector.to_numpy() if isinstance(vector, PgVector) else vector
    return array
