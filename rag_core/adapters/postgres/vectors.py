"""Vectors of several embedders: in `chunk_vectors` the users' own, the others beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pgvector import Vector as PgVector
from psycopg.types.numeric import Int4

from rag_core.adapters.postgres.claim import LOCK_USER, claim_user
from rag_core.adapters.postgres.connection import Connection
from rag_core.adapters.postgres.database import Database
from rag_core.domain.user import UserId
from rag_core.domain.vector_store import ChunkText, EmbedderState

if TYPE_CHECKING:
    from rag_core.domain.ranking import Vector

_SERVES = """
SELECT users.embedder IS NULL OR users.embedder = %(embedder)s
    OR EXISTS (SELECT FROM embedders WHERE digest = %(embedder)s)
FROM users WHERE id = %(user)s
"""
# Which of the two tables an embedder's vectors are in, the user's row says.
_LACKING = """
FROM chunks JOIN users ON users.id = chunks.user_id
WHERE chunks.user_id = %(user)s AND CASE WHEN users.embedder = %(embedder)s
    THEN NOT EXISTS (
        SELECT FROM chunk_vectors AS held WHERE held.user_id = chunks.user_id
            AND held.note_id = chunks.note_id AND held.position = chunks.position)
    ELSE NOT EXISTS (
        SELECT FROM vectors_beside AS held WHERE held.user_id = chunks.user_id
            AND held.note_id = chunks.note_id AND held.position = chunks.position
            AND held.embedder = %(embedder)s) END
"""
_MISSING = f"""
SELECT note_id, position, sha256, heading, text,
    (SELECT title FROM notes WHERE notes.user_id = %(user)s AND notes.id = note_id)
{_LACKING} AND (note_id, position) > (%(note)s, %(position)s)
ORDER BY note_id, position LIMIT %(most)s
"""
_GIVEN = """
FROM unnest(%(note_id)b::text[], %(position)b::int4[], %(sha256)b::text[], %(vector)b::vector[])
    AS given (note_id, position, sha256, embedding)
JOIN chunks ON chunks.user_id = %(user)s AND chunks.note_id = given.note_id
    AND chunks.position = given.position AND chunks.sha256 = given.sha256
ON CONFLICT DO NOTHING
"""
_PUT_OWN = f"""
INSERT INTO chunk_vectors (user_id, note_id, position, embedding)
SELECT %(user)s, given.note_id, given.position, given.embedding {_GIVEN}
"""
_PUT_BESIDE = f"""
INSERT INTO vectors_beside (user_id, note_id, position, embedder, embedding)
SELECT %(user)s, given.note_id, given.position, %(embedder)s, given.embedding {_GIVEN}
"""
_COVER_OWN = """
UPDATE users SET lacks_vectors = false
WHERE id = %(user)s AND embedder = %(embedder)s AND lacks_vectors
"""
_COVER_BESIDE = """
INSERT INTO vectors_covered (user_id, embedder, epoch)
SELECT id, %(embedder)s, epoch FROM users WHERE id = %(user)s AND embedder <> %(embedder)s
ON CONFLICT (user_id, embedder) DO UPDATE SET epoch = excluded.epoch
"""
_REGISTER = """
INSERT INTO embedders (digest, model)
SELECT * FROM unnest(%(digests)s::text[], %(models)s::text[])
UNION ALL
SELECT DISTINCT embedder, '' FROM users
WHERE embedder IS NOT NULL AND embedder <> ALL(%(digests)s)
ON CONFLICT (digest) DO UPDATE SET model = coalesce(nullif(excluded.model, ''), embedders.model)
RETURNING digest
"""
_STATES = """
WITH known AS (
    SELECT digest FROM embedders UNION SELECT embedder FROM users WHERE embedder IS NOT NULL
), own AS (
    SELECT users.embedder AS digest, count(*) AS vectors
    FROM chunk_vectors JOIN users ON users.id = user_id GROUP BY 1
), beside AS (
    SELECT embedder AS digest, count(*) AS vectors FROM vectors_beside GROUP BY 1
)
SELECT digest, coalesce(embedders.model, ''), embedders.digest IS NOT NULL,
    (SELECT count(*) FROM users WHERE users.embedder = digest),
    coalesce(own.vectors, 0) + coalesce(beside.vectors, 0)
FROM known LEFT JOIN embedders USING (digest) LEFT JOIN own USING (digest)
    LEFT JOIN beside USING (digest)
ORDER BY digest
"""
_FORGET = (
    "DELETE FROM vectors_beside WHERE user_id = %(user)s AND embedder = %(embedder)s",
    "DELETE FROM vectors_covered WHERE user_id = %(user)s AND embedder = %(embedder)s",
)
_PROMOTE = (
    "DELETE FROM chunk_vectors WHERE user_id = %(user)s",
    "INSERT INTO chunk_vectors (user_id, note_id, position, embedding)"
    " SELECT user_id, note_id, position, embedding FROM vectors_beside"
    " WHERE user_id = %(user)s AND embedder = %(embedder)s",
    "UPDATE users SET embedder = %(embedder)s, lacks_vectors = false WHERE id = %(user)s",
    *_FORGET,
)
BEGINNING_CHARACTERS = 2_000
"""Of a body, where its beginning is asked for."""
# The bodies are read of those that are taken, not of all that are sorted.
_SAMPLE_NOTES = """
WITH taken AS MATERIALIZED (
    SELECT user_id, id FROM notes WHERE deleted_at IS NULL
    ORDER BY md5(%(seed)s || ' ' || user_id || ' ' || id), user_id, id LIMIT %(most)s
)
SELECT user_id, id, title, left(body, %(beginning)s) FROM taken JOIN notes USING (user_id, id)
ORDER BY md5(%(seed)s || ' ' || user_id || ' ' || id), user_id, id
"""
_NEIGHBOURS = """
WITH held AS (
    SELECT note_id, position, embedding
    FROM chunk_vectors JOIN users ON users.id = user_id
    WHERE user_id = %(user)s AND users.embedder = %(embedder)s
    UNION ALL
    SELECT note_id, position, embedding
    FROM vectors_beside WHERE user_id = %(user)s AND embedder = %(embedder)s
), asked AS (
    SELECT embedding FROM held WHERE note_id = %(note)s AND position = %(position)s
)
SELECT held.note_id, held.position
FROM held, asked
WHERE (held.note_id, held.position) <> (%(note)s, %(position)s)
ORDER BY held.embedding <#> asked.embedding, held.note_id, held.position
LIMIT %(k)s
"""


class PostgresVectors:
    """`rag_core.domain.vector_store.VectorStore`, and what an operator does with it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def register(self, models: Mapping[str, str]) -> None:
        """See `VectorStore`."""
        row = {"digests": list(models), "models": list(models.values())}
        await self._database.fetch(_REGISTER, row)

    async def serves(self, user: UserId, embedder: str) -> bool:
        """See `VectorStore`."""
        rows = await self._database.fetch(_SERVES, {"user": user, "embedder": embedder})
        return not rows or bool(rows[0][0])

    async def missing(
        self, user: UserId, embedder: str, *, after: tuple[str, int] = ("", -1), most: int
    ) -> list[ChunkText]:
        """See `VectorStore`."""
        asked = {"user": user, "embedder": embedder, "most": most}
        asked |= {"note": after[0], "position": after[1]}
        return [_chunk_text(row) for row in await self._database.fetch(_MISSING, asked)]

    async def put(
        self, user: UserId, embedder: str, items: Sequence[tuple[ChunkText, Vector]]
    ) -> None:
        """See `VectorStore`."""
        columns: dict[str, Any] = {
            "user": user,
            "embedder": embedder,
            "note_id": [chunk.note_id for chunk, _ in items],
            "position": [Int4(chunk.position) for chunk, _ in items],
            "sha256": [chunk.sha256 for chunk, _ in items],
            "vector": [PgVector(vector) for _, vector in items],
        }

        async def work(connection: Connection) -> None:
            beside = await claim_user(connection, user, embedder)
            await connection.execute(_PUT_BESIDE if beside else _PUT_OWN, columns)

        await self._database.write(user, work)

    async def cover(self, user: UserId, embedder: str) -> bool:
        """See `VectorStore`."""
        row = {"user": user, "embedder": embedder}

        async def work(connection: Connection) -> bool:
            await connection.execute(LOCK_USER, row)
            lacking = await connection.execute(f"SELECT {_LACKING} LIMIT 1", row)
            if await lacking.fetchall():
                return False
            await connection.execute(_COVER_OWN, row)
            await connection.execute(_COVER_BESIDE, row)
            return True

        return await self._database.write(user, work)

    async def users(self) -> list[UserId]:
        """All users that have notes, in order."""
        rows = await self._database.fetch(
            "SELECT id FROM users WHERE embedder IS NOT NULL ORDER BY id"
        )
        return [row[0] for row in rows]

    async def states(self) -> list[EmbedderState]:
        """What is stored of each embedder."""
        return [EmbedderState(*row) for row in await self._database.fetch(_STATES)]

    async def withdraw(self, embedder: str) -> None:
        """Let it serve no user any more but those whose notes are of it."""
        statement = "DELETE FROM embedders WHERE digest = %s RETURNING digest"
        await self._database.fetch(statement, (embedder,))

    async def replace(self, user: UserId, old: str, new: str) -> bool:
        """Make `new` the embedder of the user's notes, and forget what is stored of `old`.

        False, and nothing is changed, where `new` lacks a vector.
        """
        row = {"user": user, "embedder": new}

        async def work(connection: Connection) -> bool:
            found = await connection.execute(
                "SELECT embedder FROM users WHERE id = %(user)s FOR UPDATE", row
            )
            main = await found.fetchone()
            if main and main[0] == old:
                lacking = await connection.execute(f"SELECT {_LACKING} LIMIT 1", row)
                if await lacking.fetchall():
                    return False
                for statement in _PROMOTE:
                    await connection.execute(statement, row)
            for statement in _FORGET:
                await connection.execute(statement, row | {"embedder": old})
            return True

        return await self._database.write(user, work)

    async def sample(self, most: int) -> list[tuple[UserId, str, int]]:
        """User, note and position of `most` chunks: the same ones of the same notes.

        Args:
            most: number of chunks.
        """
        rows = await self._database.fetch(
            "SELECT user_id, note_id, position FROM chunks"
            " ORDER BY md5(user_id || note_id || position) LIMIT %s",
            (most,),
        )
        return [(user, note, position) for user, note, position in rows]

    async def sample_notes(self, most: int, seed: int) -> list[tuple[UserId, str, str, str]]:
        """User, id, title and the body's beginning of live notes: of a seed always the same ones.

        Args:
            most: number of notes.
            seed: any whole number.
        """
        row = {"most": most, "seed": str(seed), "beginning": BEGINNING_CHARACTERS}
        rows = await self._database.fetch(_SAMPLE_NOTES, row)
        return [(UserId(user), note, title, body) for user, note, title, body in rows]

    async def neighbours(
        self, user: UserId, embedder: str, chunk: tuple[str, int], *, k: int
    ) -> list[tuple[str, int]]:
        """Note and position of the user's `k` chunks nearest to one of them."""
        asked = {"user": user, "embedder": embedder, "k": k, "note": chunk[0]}
        rows = await self._database.fetch(_NEIGHBOURS, asked | {"position": chunk[1]})
        return [(note, position) for note, position in rows]


def _chunk_text(row: tuple[Any, ...]) -> ChunkText:
    """The text that was embedded: how much of the title it repeats, its hash says."""
    note_id, position, sha256, heading, text, title = row
    for end in range(len(title), -1, -1):
        embedded = "\n".join(part for part in (title[:end], heading, text) if part)
        if hashlib.sha256(embedded.encode()).hexdigest() == sha256:
            return ChunkText(note_id, position, sha256, embedded)
    return ChunkText(note_id, position, sha256, f"{title}\n{text}")
