"""Imports of notes in Postgres, where every process sees them."""

from __future__ import annotations

from typing import Any

from rag_core.adapters.postgres.connection import Connection
from rag_core.adapters.postgres.database import Database
from rag_core.domain.imports import LOST_AFTER_S, ImportState, NoteImport
from rag_core.domain.user import UserId

_FORGET_ALL = "DELETE FROM imports WHERE user_id = %s"
_FORGET = f"{_FORGET_ALL} AND created_at < now() - interval '1 day'"
_BEGIN = "INSERT INTO imports (user_id, id, note_id, version) VALUES (%s, %s, %s, %s)"
_BEAT = "UPDATE imports SET beat_at = now() WHERE user_id = %s AND id = %s"
_END = """
UPDATE imports SET state = %s, error = %s, problem = %s, beat_at = now()
WHERE user_id = %s AND id = %s
"""
_READ = f"""
SELECT id, note_id, version, error, problem, CASE
    WHEN state = 'running' AND beat_at < now() - interval '{LOST_AFTER_S} seconds' THEN 'lost'
    ELSE state END
FROM imports WHERE user_id = %s AND id = %s
"""


class PostgresImports:
    """ImportRecords in the table `imports`; its clock is the database's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, user: UserId, record: NoteImport) -> None:
        """See `rag_core.domain.imports.ImportRecords`."""
        row = (user, record.id, record.note_id, record.version)
        await self._write(user, (_FORGET, (user,)), (_BEGIN, row))

    async def beat(self, user: UserId, import_id: str) -> None:
        """See `rag_core.domain.imports.ImportRecords`."""
        await self._write(user, (_BEAT, (user, import_id)))

    async def end(
        self,
        user: UserId,
        import_id: str,
        state: ImportState,
        *,
        error: str = "",
        problem: str = "",
    ) -> None:
        """See `rag_core.domain.imports.ImportRecords`."""
        await self._write(user, (_END, (state, error, problem, user, import_id)))

    async def forget(self, user: UserId) -> None:
        """See `rag_core.domain.imports.ImportRecords`."""
        await self._write(user, (_FORGET_ALL, (user,)))

    async def read(self, user: UserId, import_id: str) -> NoteImport | None:
        """See `rag_core.domain.imports.ImportRecords`."""
        rows = await self._database.fetch(_READ, (user, import_id))
        return _import(*rows[0]) if rows else None

    async def _write(self, user: UserId, *statements: tuple[str, tuple[Any, ...]]) -> None:
        async def work(connection: Connection) -> None:
            for statement, parameters in statements:
                await connection.execute(statement, parameters)

        # A turn of its own: the user's notes may be written meanwhile.
        await self._database.write(UserId(f"imports {user}"), work)


def _import(
    import_id: str, note_id: str, version: str, error: str, problem: str, state: ImportState
) -> NoteImport:
    return NoteImport(
        id=import_id, note_id=note_id, version=version, state=state, error=error, problem=problem
    )
