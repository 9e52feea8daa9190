"""Chunks as they are written: their text, their vectors and their words, a table each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pgvector import SparseVector
from pgvector import Vector as PgVector
from psycopg.types.numeric import Int4

from rag_core.adapters.postgres.connection import Connection
from rag_core.domain.chunks import Chunk
from rag_core.domain.ranking import DIMENSIONS
from rag_core.domain.user import UserId
from rag_core.domain.words import WORD_DIMENSIONS, word_weights

if TYPE_CHECKING:
    from rag_core.domain.ranking import Vector

# Columns go as one array each: a statement for a whole batch, and no text to parse.
_INSERT_CHUNKS = """
INSERT INTO chunks (user_id, note_id, position, start_char, end_char, sha256, heading, text,
                    tokens, tokens_of)
SELECT %(user)s, * FROM unnest(
    %(note_id)b::text[], %(position)b::int4[], %(start)b::int4[], %(end)b::int4[],
    %(sha256)b::text[], %(heading)b::text[], %(text)b::text[], %(tokens)b::int4[],
    %(tokens_of)b::text[])
"""
_INSERT_VECTORS = """
INSERT INTO chunk_vectors (user_id, note_id, position, embedding)
SELECT %(user)s, * FROM unnest(%(note_id)b::text[], %(position)b::int4[], %(vector)b::vector[])
"""
_INSERT_BESIDE = """
INSERT INTO vectors_beside (user_id, embedder, note_id, position, embedding)
SELECT %(user)s, %(beside)s, * FROM unnest(
    %(note_id)b::text[], %(position)b::int4[], %(vector)b::vector[])
"""
_INSERT_WORDS = """
INSERT INTO chunk_words (user_id, note_id, position, words)
SELECT %(user)s, * FROM unnest(%(note_id)b::text[], %(position)b::int4[], %(words)b::sparsevec[])
"""


async def insert_chunks(
    connection: Connection,
    user: UserId,
    placed: Sequence[tuple[Chunk, Vector]],
    beside: str | None = None,
) -> None:
    """Write chunks that are not there yet, with their vectors and words.

    The vectors are of the embedder `beside` the user's own, if one is given.

    Raises:
        ValueError: a vector has another length than `DIMENSIONS`.
    """
    for _, vector in placed:
        if vector.shape != (DIMENSIONS,):
            raise ValueError(f"expected {DIMENSIONS} dimensions, not {vector.size}")
    columns = {"user": user} | _columns([chunk for chunk, _ in placed])
    await connection.execute(_INSERT_CHUNKS, columns)
    vectors = [PgVector(vector) for _, vector in placed]
    insert = _INSERT_BESIDE if beside else _INSERT_VECTORS
    await connection.execute(insert, columns | {"vector": vectors, "beside": beside})
    words = [words_of(chunk.embedded_text) for chunk, _ in placed]
    await connection.execute(_INSERT_WORDS, columns | {"words": words})


def words_of(text: str) -> SparseVector:
    """The words of a chunk with their weights, as Postgres takes them."""
    return SparseVector(word_weights(text), WORD_DIMENSIONS)


def _columns(chunks: Sequence[Chunk]) -> dict[str, list[Any]]:
    return {
        "note_id": [chunk.note_id for chunk in chunks],
        "position": [Int4(chunk.position) for chunk in chunks],
        "start": [Int4(chunk.start) for chunk in chunks],
        "end": [Int4(chunk.end) for chunk in chunks],
        "sha256": [chunk.sha256 for chunk in chunks],
        "heading": [chunk.heading for chunk in chunks],
        "text": [chunk.text for chunk in chunks],
        "tokens": [chunk.cost and Int4(chunk.cost.tokens) for chunk in chunks],
        "tokens_of": [chunk.cost and chunk.cost.of for chunk in chunks],
    }
