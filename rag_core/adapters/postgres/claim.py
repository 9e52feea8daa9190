"""Whose embedder a user's notes are of, under the lock of the user's row."""

from __future__ import annotations

from rag_core.adapters.postgres.connection import Connection, Cursor
from rag_core.domain.user import UserId
from rag_core.errors import EmbedderMismatch

LOCK_USER = "SELECT FROM users WHERE id = %(user)s FOR UPDATE"

# Locks the user's row: whoever else changes the user's notes waits until the transaction ends.
_CLAIM_USER = """
INSERT INTO users (id, embedder) VALUES (%(user)s, %(embedder)s)
ON CONFLICT (id) DO UPDATE SET embedder = coalesce(users.embedder, excluded.embedder)
RETURNING embedder, EXISTS (SELECT FROM embedders WHERE digest = %(embedder)s)
"""


async def claim_user(connection: Connection, user: UserId, embedder: str) -> str | None:
    """Lock the user, who is made if need be; the embedder, where it stands beside another.

    Raises:
        EmbedderMismatch: the user's notes are of another one, and this one is not registered.
    """
    return await claimed(await send_claim(connection, user, embedder), user, embedder)


async def send_claim(connection: Connection, user: UserId, embedder: str) -> Cursor:
    """Lock the user without waiting for the reply, which `claimed` reads: no round trip."""
    return await connection.execute(_CLAIM_USER, {"user": user, "embedder": embedder})


async def claimed(sent: Cursor, user: UserId, embedder: str) -> str | None:
    """What `claim_user` says, of a claim that was sent; raises what it raises."""
    row = await sent.fetchone()
    if row is None or row[0] == embedder:
        return None
    if not row[1]:
        raise EmbedderMismatch(user, row[0], embedder)
    return embedder
