"""The statements of a search: one for each way of it, each a round trip.

A statement gives one row for each hit, and one row without a hit where there is none, so that it
always says which embedder the user's chunks are of.
"""

from __future__ import annotations

from rag_core.domain.query import FUSED_DEPTH, RRF_K, SearchMode
from rag_core.domain.ranking import SearchMethod

# Vectors have unit length, so the (negative) inner product orders as the cosine does, for less.
# `+ 0` keeps the HNSW index out: it serves only the bare distance.
_ORDER = {
    SearchMethod.EXACT: "(embedding <#> %(vector)b) + 0, note_id, position",
    SearchMethod.HNSW: "embedding <#> %(vector)b",
}

_DENSE = """nearest AS MATERIALIZED (
    SELECT user_id, note_id, position, -(embedding <#> %(vector)b) AS relevance
    FROM chunk_vectors
    WHERE user_id = %(user)s
    ORDER BY {order}
    LIMIT {depth}
)"""

# BM25. What a word weighs in a chunk is stored; how rare it is among the user's chunks (its idf) is
# counted here, over the chunks that share a word with the question.
_LEXICAL = """sharing AS MATERIALIZED (
    SELECT note_id, position, words
    FROM chunk_words
    WHERE user_id = %(user)s AND words <#> %(any_word)b < 0
), occurrence AS MATERIALIZED (
    SELECT note_id, position, number, -(words <#> word) AS weight
    FROM sharing, unnest(%(words)b::sparsevec[]) WITH ORDINALITY AS asked (word, number)
    WHERE words <#> word < 0
), rarity AS (
    SELECT number, ln(1 + (chunks - count(*) + 0.5) / (count(*) + 0.5))::float8 AS idf
    FROM occurrence, (SELECT count(*) AS chunks FROM chunk_words WHERE user_id = %(user)s) AS own
    GROUP BY number, chunks
), matching AS (
    SELECT %(user)s AS user_id, note_id, position, sum(weight * idf) AS relevance
    FROM occurrence JOIN rarity USING (number)
    GROUP BY note_id, position
    ORDER BY relevance DESC, note_id, position
    LIMIT {depth}
)"""

_FUSED = f"""fused AS (
    SELECT user_id, note_id, position, sum(1 / ({RRF_K} + place)::float8) AS relevance
    FROM (
        SELECT *, row_number() OVER (ORDER BY relevance DESC, note_id, position) AS place
        FROM nearest
        UNION ALL
        SELECT *, row_number() OVER (ORDER BY relevance DESC, note_id, position)
        FROM matching
    ) AS placed
    GROUP BY user_id, note_id, position
    ORDER BY relevance DESC, note_id, position
    LIMIT %(k)s
)"""

_HITS = """
SELECT users.embedder, found.note_id, found.position, notes.title, chunk.heading, chunk.text,
       chunk.start_char, chunk.end_char, notes.author, notes.date, notes.tags, notes.verses::text,
       -(place.embedding <#> %(vector)b) AS score, chunk.tokens, chunk.tokens_of, found.relevance
       {available}
FROM users
LEFT JOIN ({found} AS found
    JOIN chunk_vectors AS place USING (user_id, note_id, position)
    JOIN chunks AS chunk USING (user_id, note_id, position)
    JOIN notes ON notes.user_id = found.user_id AND notes.id = found.note_id
) ON found.user_id = users.id
WHERE users.id = %(user)s
"""

_AVAILABLE = """,
       (SELECT count(*) FROM
           (SELECT FROM chunk_vectors WHERE user_id = %(user)s LIMIT %(k)s) AS asked_for)"""


def search_statement(mode: SearchMode, method: SearchMethod) -> str:
    """The statement that finds `%(k)s` chunks of `%(user)s`.

    It takes `%(vector)s` and, unless the mode is dense, `%(words)s`, the question's words each as a
    vector of one dimension, and `%(any_word)s`, their sum.
    """
    fused = mode is SearchMode.HYBRID
    depth = f"greatest({FUSED_DEPTH}, %(k)s)" if fused else "%(k)s"
    dense = _DENSE.format(order=_ORDER[method], depth=depth)
    lexical = _LEXICAL.format(depth=depth)
    parts, found = {
        SearchMode.DENSE: ([dense], "nearest"),
        SearchMode.LEXICAL: ([lexical], "matching"),
        SearchMode.HYBRID: ([dense, lexical, _FUSED], "fused"),
    }[mode]
    walks = method is SearchMethod.HNSW and mode is not SearchMode.LEXICAL
    available = _AVAILABLE if walks else ""
    return f"WITH {', '.join(parts)}{_HITS.format(found=found, available=available)}"
