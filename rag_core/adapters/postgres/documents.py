"""Documents in Postgres: a version, its job and its note change in one transaction each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from rag_core.adapters.postgres import document_sql as sql
from rag_core.adapters.postgres.claim import LOCK_USER, claim_user
from rag_core.adapters.postgres.connection import Connection
from rag_core.adapters.postgres.database import Database
from rag_core.adapters.postgres.document_rows import (
    note_columns,
    pending_version,
    read_document,
    read_versions,
    search_documents,
    upload_row,
)
from rag_core.adapters.postgres.notes import DELETE_NOTE, write_notes
from rag_core.domain.document_store import (
    DocumentSearch,
    DocumentVersion,
    PendingVersion,
    QueueLimits,
    StoredDocument,
    Upload,
)
from rag_core.domain.documents import Document
from rag_core.domain.note_store import EmbeddedNote
from rag_core.domain.user import UserId
from rag_core.errors import RateLimitExceeded

T = TypeVar("T")

RETRY_AFTER_S = 30.0
"""When to come back with more files; about a hundred have been read by then; chosen."""


class PostgresDocuments:
    """DocumentStore over the tables of the migrations, and the queue's."""

    def __init__(self, database: Database, limits: QueueLimits | None = None) -> None:
        self._database = database
        self._limits = limits or QueueLimits()

    async def add(self, user: UserId, document_id: str, upload: Upload) -> tuple[str, bool]:
        """See `rag_core.domain.document_store.DocumentStore`."""
        row = upload_row(user, document_id, upload) | {"version": 1}

        async def work(connection: Connection) -> tuple[str, bool]:
            await connection.execute(sql.ONE_BY_ONE, row)
            if same := await (await connection.execute(sql.SAME, row)).fetchone():
                return same[0], False
            waiting = await self._waiting(connection, user)
            await connection.execute(sql.ADD, row)
            await connection.execute(sql.ADD_VERSION, row)
            await self.enqueue(connection, user, document_id, waiting)
            return document_id, True

        return await self._write(user, work)

    async def revise(self, user: UserId, document_id: str, upload: Upload) -> bool | None:
        """See `rag_core.domain.document_store.DocumentStore`."""
        row = upload_row(user, document_id, upload)

        async def work(connection: Connection) -> bool | None:
            stored = await (await connection.execute(sql.LOCK, row)).fetchone()
            if stored is None or stored[4]:
                return None
            newest, _, status, sha256, _ = stored
            if sha256 == upload.sha256 and status != "failed":
                return False
            waiting = await self._waiting(connection, user)
            next_row = row | {"version": newest + 1}
            await connection.execute(sql.ADD_VERSION, next_row)
            await connection.execute(sql.REVISE, next_row)
            await self.enqueue(connection, user, document_id, waiting)
            return True

        return await self._write(user, work)

    async def restore(self, user: UserId, document_id: str, version: int | None) -> bool | None:
        """See `rag_core.domain.document_store.DocumentStore`."""
        row: dict[str, Any] = {"user": user, "document": document_id}

        async def work(connection: Connection) -> bool | None:
            stored = await (await connection.execute(sql.LOCK, row)).fetchone()
            if stored is None:
                return None
            newest, live, status, _, deleted = stored
            source = version or live or newest
            if source == newest and not deleted and status != "failed":
                return False
            readable = await connection.execute(sql.READABLE, row | {"source": source})
            if not await readable.fetchall():
                return None
            changed = row | {"source": source, "version": newest}
            if source == newest:
                await connection.execute(sql.WAIT_AGAIN, changed)
            else:
                changed["version"] = newest + 1
                await connection.execute(sql.COPY_VERSION, changed)
            await connection.execute(sql.RESTORE, changed)
            waiting = await self._waiting(connection, user)
            await self.enqueue(connection, user, document_id, waiting)
            return True

        return await self._write(user, work)

    async def tag(self, user: UserId, document_id: str, tags: Sequence[str]) -> bool:
        """See `rag_core.domain.document_store.DocumentStore`."""
        row: dict[str, Any] = {"user": user, "document": document_id, "tags": list(tags)}

        async def work(connection: Connection) -> bool:
            stored = await (await connection.execute(sql.LOCK, row)).fetchone()
            if stored is None or stored[4]:
                return False
            await connection.execute(sql.TAG, row)
            if stored[1] is not None:  # its note is written again, with these
                await connection.execute(sql.WAIT_AGAIN, row | {"version": stored[1]})
                await self.enqueue(connection, user, document_id, 0)
            return True

        return await self._write(user, work)

    async def delete(self, user: UserId, document_id: str) -> bool:
        """See `rag_core.domain.document_store.DocumentStore`."""
        row = {"user": user, "document": document_id, "note": document_id}

        async def work(connection: Connection) -> bool:
            await connection.execute(LOCK_USER, row)
            gone = await connection.execute(sql.DELETE, row)
            await connection.execute(DELETE_NOTE, row)
            return bool(await gone.fetchall())

        return await self._database.write(user, work)

    async def document(self, user: UserId, document_id: str) -> StoredDocument | None:
        """See `rag_core.domain.document_store.DocumentStore`."""
        return await read_document(self._database, user, document_id)

    async def versions(self, user: UserId, document_id: str) -> list[DocumentVersion]:
        """See `rag_core.domain.document_store.DocumentStore`."""
        return await read_versions(self._database, user, document_id)

    async def search(self, user: UserId, wanted: DocumentSearch) -> list[StoredDocument]:
        """See `rag_core.domain.document_store.DocumentStore`."""
        return await search_documents(self._database, user, wanted)

    async def next_pending(self, user: UserId, document_id: str) -> PendingVersion | None:
        """See `rag_core.domain.document_store.DocumentStore`."""
        row = {"user": user, "document": document_id}

        async def work(connection: Connection) -> PendingVersion | None:
            found = await (await connection.execute(sql.NEXT_PENDING, row, binary=True)).fetchone()
            return pending_version(found, document_id) if found else None

        return await self._write(user, work)

    async def keep(self, user: UserId, document_id: str, version: int, document: Document) -> None:
        """See `rag_core.domain.document_store.DocumentStore`."""
        row = {"user": user, "document": document_id, "version": version} | note_columns(document)

        async def work(connection: Connection) -> None:
            await connection.execute(sql.LOCK, row)
            await connection.execute(sql.KEEP, row)
            await connection.execute(sql.DESCRIBE, row)

        await self._write(user, work)

    async def publish(
        self,
        user: UserId,
        document_id: str,
        version: int,
        note: EmbeddedNote,
        *,
        chunking: str,
        embedder: str,
    ) -> bool:
        """See `rag_core.domain.document_store.DocumentStore`."""
        row = {"user": user, "document": document_id, "version": version, "live": True}

        async def work(connection: Connection) -> bool:
            beside = await claim_user(connection, user, embedder)
            await connection.execute(sql.LOCK, row)
            if not await (await connection.execute(sql.READY, row)).fetchall():
                return False
            await write_notes(connection, user, [note], chunking, beside)
            return True

        return await self._database.write(user, work)

    async def settle(self, user: UserId, document_id: str, version: int) -> None:
        """See `rag_core.domain.document_store.DocumentStore`."""
        row = {"user": user, "document": document_id, "version": version, "live": False}
        await self._change(user, sql.READY, row)

    async def reject(
        self,
        user: UserId,
        document_id: str,
        version: int,
        *,
        error: str,
        problem: str,
        for_good: bool,
    ) -> None:
        """See `rag_core.domain.document_store.DocumentStore`."""
        row = {"user": user, "document": document_id, "version": version}
        said = {"error": error, "problem": problem, "for_good": for_good}
        await self._change(user, sql.REJECT, row | said)

    async def deleted(self, before: datetime) -> list[UserId]:
        """See `rag_core.domain.document_store.DocumentStore`."""
        statement = "SELECT DISTINCT user_id FROM documents WHERE deleted_at < %s ORDER BY user_id"
        return [row[0] for row in await self._database.fetch(statement, (before,))]

    async def purge(self, user: UserId, before: datetime) -> int:
        """See `rag_core.domain.document_store.DocumentStore`."""
        row = {"user": user, "before": before}

        async def work(connection: Connection) -> int:
            return len(await (await connection.execute(sql.PURGE, row)).fetchall())

        return await self._write(user, work)

    async def forget(self, user: UserId) -> None:
        """See `rag_core.domain.document_store.DocumentStore`."""
        row = {"user": user}

        async def work(connection: Connection) -> None:
            await connection.execute(sql.FORGET_JOBS, row)
            await connection.execute("DELETE FROM documents WHERE user_id = %(user)s", row)

        await self._write(user, work)

    async def requeue(self) -> int:
        """Put what waits without a job into the queue again, of all users; how many documents.

        Raises:
            DatabaseUnavailable: Postgres cannot be reached.
        """
        lost = await self._database.fetch(sql.WITHOUT_JOB)
        for user, document_id in lost:
            await self._write(user, partial(self.enqueue, user=user, document_id=document_id))
        return len(lost)

    async def queued(self) -> tuple[int, float]:
        """How many versions wait to be read, of all users, and seconds since the first came.

        Raises:
            DatabaseUnavailable: Postgres cannot be reached.
        """
        ((versions, oldest_s),) = await self._database.fetch(sql.QUEUED)
        return versions, oldest_s

    async def _waiting(self, connection: Connection, user: UserId) -> int:
        """How many of the user's versions wait; raises where that is enough."""
        found = await (await connection.execute(sql.WAITING, {"user": user})).fetchone()
        waiting = int(found[0]) if found else 0
        if waiting >= self._limits.of_a_user:
            limit = f"{self._limits.of_a_user:,} documents that wait to be read"
            raise RateLimitExceeded(limit, "user", retry_after_s=RETRY_AFTER_S)
        return waiting

    async def enqueue(
        self, connection: Connection, user: UserId, document_id: str, waiting: int = 0
    ) -> None:
        """Give it a job, within the transaction that makes it wait; `waiting`: the user's others,
        a number of versions."""
        job = sql.job(user, document_id, waiting, self._limits)
        await connection.execute(sql.ENQUEUE, job)

    async def _change(self, user: UserId, statement: str, row: dict[str, Any]) -> None:
        async def work(connection: Connection) -> None:
            await connection.execute(sql.LOCK, row)
            await connection.execute(statement, row)

        await self._write(user, work)

    async def _write(self, user: UserId, work: Callable[[Connection], Awaitable[T]]) -> T:
        """A turn of its own: the user's notes may be written meanwhile."""
        return await self._database.write(UserId(f"documents {user}"), work)
