"""Jobs that failed as often as they may, to be listed and tried again by the operator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rag_core.adapters.postgres.connection import Connection
from rag_core.adapters.postgres.database import Database
from rag_core.adapters.postgres.documents import PostgresDocuments
from rag_core.domain.user import UserId

_LIST = """
SELECT jobs.id, args ->> 'user', args ->> 'document', attempts,
    (SELECT max(at) FROM procrastinate_events WHERE job_id = jobs.id),
    (SELECT coalesce(max(error), '') FROM documents
     WHERE user_id = args ->> 'user' AND documents.id = args ->> 'document')
FROM procrastinate_jobs AS jobs
WHERE jobs.status = 'failed' AND (%(user)s::text IS NULL OR args ->> 'user' = %(user)s)
ORDER BY jobs.id
"""
_DROP = "DELETE FROM procrastinate_jobs WHERE id = %(job)s AND status = 'failed' RETURNING id"
_WAIT_AGAIN = """
WITH again AS (
    UPDATE document_versions SET status = 'queued', error = '', problem = ''
    WHERE user_id = %(user)s AND document_id = %(document)s AND status = 'failed'
        AND (content IS NOT NULL OR body IS NOT NULL)
    RETURNING version
)
UPDATE documents SET status = 'queued', error = '', problem = '' FROM again
WHERE user_id = %(user)s AND id = %(document)s AND documents.version = again.version
"""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A job that nobody tries any more."""

    id: int
    """Number of the job."""
    user: UserId
    document_id: str
    attempts: int
    """How many times it was tried."""
    failed_at: datetime | None
    error: str
    """The class of what its document failed with; empty where it went well since."""


class DeadLetters:
    """The failed jobs of the queue."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, user: UserId | None = None) -> list[DeadLetter]:
        """Those of a user, or of all, the oldest first.

        Raises:
            DatabaseUnavailable: Postgres cannot be reached.
        """
        rows = await self._database.fetch(_LIST, {"user": user})
        return [DeadLetter(row[0], UserId(row[1]), *row[2:]) for row in rows]

    async def retry(self, letter: DeadLetter) -> bool:
        """Put it into the queue again as if it were new; false where that was done meanwhile.

        Raises:
            DatabaseUnavailable: Postgres cannot be reached.
        """
        row = {"user": letter.user, "document": letter.document_id, "job": letter.id}
        documents = PostgresDocuments(self._database)

        async def work(connection: Connection) -> bool:
            dropped = await connection.execute(_DROP, row)
            if not await dropped.fetchall():
                return False
            await connection.execute(_WAIT_AGAIN, row)
            await documents.enqueue(connection, letter.user, letter.document_id)
            return True

        return await self._database.write(UserId(f"documents {letter.user}"), work)
