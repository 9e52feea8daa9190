"""Nearest chunks of one user, exactly or over the HNSW graph."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pgvector import Vector as PgVector

from rag_core.adapters.postgres.pool import Pool, translated
from rag_core.errors import EmbedderMismatch
from rag_core.notes import Verses
from rag_core.retrieval import Hit, Ranking, SearchMethod
from rag_core.user import UserId

if TYPE_CHECKING:
    from rag_core.retrieval import Vector

# `+ 0` keeps the HNSW index out: it serves only the bare distance.
_ORDER = {
    SearchMethod.EXACT: "(embedding <=> %(vector)b) + 0, note_id, position",
    SearchMethod.HNSW: "embedding <=> %(vector)b",
}
_SEARCH = """
WITH nearest AS MATERIALIZED (
    SELECT user_id, note_id, position, embedding <=> %(vector)b AS distance
    FROM note_chunks
    WHERE user_id = %(user)b
    ORDER BY {order}
    LIMIT %(k)b
)
SELECT users.embedder, nearest.note_id, nearest.position, notes.title, chunk.heading, chunk.text,
       chunk.start_char, chunk.end_char, notes.author, notes.date, notes.tags, notes.verses::text,
       nearest.distance
FROM users
LEFT JOIN nearest ON nearest.user_id = users.id
LEFT JOIN note_chunks AS chunk USING (user_id, note_id, position)
LEFT JOIN notes ON notes.user_id = nearest.user_id AND notes.id = nearest.note_id
WHERE users.id = %(user)b
"""


class PostgresRetriever:
    """Retriever over `note_chunks`; one round trip a search."""

    def __init__(
        self, pool: Pool, *, embedder_digest: str, method: SearchMethod = SearchMethod.EXACT
    ) -> None:
        self._pool = pool
        self._digest = embedder_digest
        self._sql = _SEARCH.format(order=_ORDER[method])

    async def search(self, user: UserId, vector: Vector, *, k: int) -> Ranking:
        """See `rag_core.retrieval.Retriever`."""
        parameters = {"user": user, "vector": PgVector(vector), "k": k}
        with translated():
            async with (
                self._pool.connection() as connection,
                connection.cursor(binary=True) as cursor,
            ):
                await cursor.execute(self._sql, parameters, prepare=True)
                rows = await cursor.fetchall()
        if rows and rows[0][0] not in (None, self._digest):
            raise EmbedderMismatch(user, rows[0][0], self._digest)
        hits = [_hit(row[1:]) for row in rows if row[1] is not None]
        return Ranking(tuple(sorted(hits, key=lambda hit: (-hit.score, hit.note_id, hit.position))))

    async def explain(self, user: UserId, vector: Vector, *, k: int) -> str:
        """The plan that `search` runs by, as EXPLAIN (ANALYZE) prints it."""
        parameters = {"user": user, "vector": PgVector(vector), "k": k}
        with translated():
            async with self._pool.connection() as connection:
                found = await connection.execute("EXPLAIN (ANALYZE) " + self._sql, parameters)
                return "\n".join(row[0] for row in await found.fetchall())


def _hit(row: tuple[Any, ...]) -> Hit:
    note_id, position, title, heading, text, start, end, author, date, tags, verses, distance = row
    return Hit(
        note_id=note_id,
        position=position,
        title=title,
        heading=heading,
        text=text,
        start=start,
        end=end,
        author=author,
        date=date,
        tags=tuple(tags),
        verses=tuple(Verses(*verse) for verse in json.loads(verses)),
        score=1.0 - distance,
    )
