"""Whoever goes round the note store: changes of notes by plain SQL, as an operator types them."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from enum import StrEnum

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from evals.consistency.database import WRITING
from evals.consistency.world import Pauses
from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.postgres import Connection, Pool
from rag_core.domain import Note, UserId, WholeNoteChunker
from rag_core.errors import DatabaseUnavailable


class SqlEdit(StrEnum):
    """What is done by plain SQL."""

    TEXT = "text"
    """Another text in the chunk alone."""
    NOTE = "note"
    """Another text in the note and its chunk."""
    INSERT = "insert"
    """A note with all that belongs to it, new or in place of the old."""
    REMOVE = "remove"
    """No rows any more."""
    UNINDEX = "unindex"
    """No vector any more: the note is not found."""
    TRUNCATE = "truncate"
    """No vectors of anyone."""

    @property
    def removes(self) -> bool:
        """Whether answers speak of the note no longer."""
        return self in (SqlEdit.REMOVE, SqlEdit.UNINDEX, SqlEdit.TRUNCATE)

    @property
    def hashed(self) -> bool:
        """Whether it changes the note's version, by which ingest knows a change."""
        return self in (SqlEdit.NOTE, SqlEdit.INSERT, SqlEdit.REMOVE)


class NothingToEdit(Exception):
    """There is no such note, or it cannot be had now; nothing was changed."""


_TEXT = """
UPDATE chunks SET text = %(body)s
WHERE user_id = %(user)s AND note_id = %(note)s
"""
_FINDABLE = "SELECT FROM chunk_vectors WHERE user_id = %(user)s AND note_id = %(note)s"
_NOTE = """
UPDATE notes SET body = %(body)s, version = %(version)s, updated_at = now()
WHERE user_id = %(user)s AND id = %(note)s AND deleted_at IS NULL
"""
_UPSERT = """
INSERT INTO notes (user_id, id, version, chunking, title, body, author, tags, verses)
VALUES (%(user)s, %(note)s, %(version)s, %(chunking)s, '', %(body)s, '', '{}', '[]')
ON CONFLICT (user_id, id) DO UPDATE SET
    version = excluded.version, body = excluded.body, updated_at = now(), deleted_at = NULL
"""
_NO_CHUNKS = "DELETE FROM chunks WHERE user_id = %(user)s AND note_id = %(note)s"
_CHUNK = """
INSERT INTO chunks (user_id, note_id, position, start_char, end_char, sha256, heading, text)
VALUES (%(user)s, %(note)s, 0, 0, %(end)s, %(sha256)s, '', %(body)s)
"""
_VECTOR = """
INSERT INTO chunk_vectors (user_id, note_id, position, embedding)
VALUES (%(user)s, %(note)s, 0, %(vector)s::vector)
"""
_NO_NOTE = "DELETE FROM notes WHERE user_id = %(user)s AND id = %(note)s"
_NO_VECTOR = "DELETE FROM chunk_vectors WHERE user_id = %(user)s AND note_id = %(note)s"

_STATEMENTS = {
    SqlEdit.TEXT: (_TEXT, _FINDABLE),
    SqlEdit.NOTE: (_NOTE, _TEXT, _FINDABLE),
    SqlEdit.INSERT: (_UPSERT, _NO_CHUNKS, _CHUNK, _VECTOR),
    SqlEdit.REMOVE: (_NO_CHUNKS, _NO_NOTE),
    SqlEdit.UNINDEX: (_NO_VECTOR,),
    SqlEdit.TRUNCATE: ("TRUNCATE chunk_vectors",),
}
_MUST_FIND = (_TEXT, _NOTE, _FINDABLE)


class SqlEditor:
    """Edits in transactions of its own, pausing between statements."""

    def __init__(self, pool: Pool, pauses: Pauses) -> None:
        self._pool = pool
        self._pauses = pauses
        self._embedder = HashingEmbedder()

    async def edit(self, kind: SqlEdit, user: UserId, note: Note) -> None:
        """Make the note say what `note` says, or nothing.

        Raises:
            NothingToEdit: the server refused, or the note is not there; nothing was changed.
            DatabaseUnavailable: the connection was lost; nobody knows what was changed.
        """
        vector = (await self._embedder.embed([note.body]))[0]
        parameters = {
            "user": user,
            "note": note.id,
            "body": note.body,
            "version": note.version,
            "chunking": WholeNoteChunker().name,
            "end": len(note.body),
            "sha256": hashlib.sha256(note.body.encode()).hexdigest(),
            "vector": str(vector.tolist()),
        }
        await self._transact(lambda connection: self._run(connection, kind, parameters))

    async def _run(
        self, connection: Connection, kind: SqlEdit, parameters: dict[str, object]
    ) -> None:
        for statement in _STATEMENTS[kind]:
            cursor = await connection.execute(statement, parameters)
            if statement in _MUST_FIND and not cursor.rowcount:
                raise NothingToEdit
            await self._pauses()

    async def _transact(self, work: Callable[[Connection], Awaitable[None]]) -> None:
        try:
            async with self._pool.connection(timeout=5) as connection:
                try:
                    async with connection.transaction():
                        if (writing := WRITING.get()) is not None:
                            writing.add(connection.info.backend_pid)
                        await connection.execute("SET LOCAL lock_timeout = '500ms'")
                        await work(connection)
                except psycopg.Error as error:
                    if connection.closed:
                        raise DatabaseUnavailable("the connection was lost") from error
                    raise NothingToEdit from error  # rolled back
        except PoolTimeout as error:
            raise NothingToEdit from error


@asynccontextmanager
async def sql_editor(database_url: str, pauses: Pauses) -> AsyncIterator[SqlEditor]:
    """An editor with a few connections of its own."""
    async with AsyncConnectionPool(
        database_url, min_size=1, max_size=3, kwargs={"autocommit": True}, open=False
    ) as pool:
        yield SqlEditor(pool, pauses)
