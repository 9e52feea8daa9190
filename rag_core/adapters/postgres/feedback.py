"""Feedback in Postgres."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rag_core.adapters.postgres.connection import Connection
from rag_core.adapters.postgres.database import Database
from rag_core.domain.feedback import MOST_KEPT, Feedback
from rag_core.domain.user import UserId

_COLUMNS = "digest, question, thumb, comment, note_ids, given_at"
_PUT = """
INSERT INTO feedback (user_id, id, digest, question, thumb, comment, note_ids)
VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (user_id, id) DO UPDATE
SET thumb = excluded.thumb, comment = excluded.comment, note_ids = excluded.note_ids,
    given_at = excluded.given_at
"""
_TRIM = f"""
DELETE FROM feedback WHERE user_id = %s AND id IN (
    SELECT id FROM feedback WHERE user_id = %s ORDER BY given_at DESC OFFSET {MOST_KEPT}
)
"""
_GIVEN = f"SELECT {_COLUMNS} FROM feedback WHERE user_id = %s ORDER BY given_at, id"
_EVERYBODYS = f"""
SELECT user_id, {_COLUMNS} FROM feedback WHERE given_at >= %s ORDER BY given_at, user_id, id
"""
_FORGET = "DELETE FROM feedback WHERE user_id = %s"


class PostgresFeedback:
    """FeedbackStore in the table `feedback`; its clock is the database's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, user: UserId, feedback: Feedback) -> None:
        """See `rag_core.domain.feedback.FeedbackStore`."""
        told = (feedback.digest, feedback.question, feedback.thumb, feedback.comment)
        row = (user, feedback.id, *told, list(feedback.note_ids))
        await self._write(user, (_PUT, row), (_TRIM, (user, user)))

    async def given(self, user: UserId) -> list[Feedback]:
        """See `rag_core.domain.feedback.FeedbackStore`."""
        return [_feedback(row) for row in await self._database.fetch(_GIVEN, (user,))]

    async def forget(self, user: UserId) -> None:
        """See `rag_core.domain.feedback.FeedbackStore`."""
        await self._write(user, (_FORGET, (user,)))

    async def everybodys(self, since: datetime) -> list[tuple[UserId, Feedback]]:
        """All that was given from then on, the oldest first: for operators, never for a user.

        Args:
            since: aware.

        Raises:
            DatabaseUnavailable: Postgres cannot be reached.
        """
        rows = await self._database.fetch(_EVERYBODYS, (since,))
        return [(UserId(row[0]), _feedback(row[1:])) for row in rows]

    async def _write(self, user: UserId, *statements: tuple[str, tuple[Any, ...]]) -> None:
        async def work(connection: Connection) -> None:
            for statement, parameters in statements:
                await connection.execute(statement, parameters)

        # A turn of its own: the user's notes may be written meanwhile.
        await self._database.write(UserId(f"feedback {user}"), work)


def _feedback(row: Sequence[Any]) -> Feedback:
    digest, question, thumb, comment, note_ids, given_at = row
    return Feedback(
        digest=digest,
        question=question,
        thumb=thumb,
        comment=comment,
        note_ids=tuple(note_ids),
        given_at=given_at,
    )
