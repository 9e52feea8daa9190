"""The statements of a search: one for each way of it, each a round trip.

A statement gives one row for each hit, and one row without a hit where there is none, so that it
always says which embedder the user's chunks are of.

How many are wanted is written into it, not asked as a parameter. Postgres plans a prepared
statement once for all parameters where that promises to be as fast; of a LIMIT that it does not
know it expects a tenth of all rows, so it planned each search anew (0.4 ms of 1.1, 10,000 chunks).
For the same reason the words come by a subquery: how many there are is then known to neither plan.
"""

from __future__ import annotations

from functools import lru_cache, partial

from rag_core.domain.query import FUSED_DEPTH, NAMED_BONUS, SearchMode
from rag_core.domain.ranking import SearchMethod

# Vectors have unit length, so the (negative) inner product orders as the cosine does, for less.
# `+ 0` keeps the HNSW index out: it serves only the bare distance.
_ORDER = {
    SearchMethod.EXACT: "(embedding <#> %(vector)b) + 0, note_id, position",
    SearchMethod.HNSW: "embedding <#> %(vector)b",
}

# A verse that is asked for has every spelling of its book; a last verse of 0 is the whole chapter.
_ADMITTED = """admitted AS MATERIALIZED (
    SELECT id AS note_id
    FROM notes
    WHERE user_id = %(user)s AND deleted_at IS NULL
        AND (%(since)s::date IS NULL OR date >= %(since)s)
        AND (%(until)s::date IS NULL OR date <= %(until)s)
        AND ARRAY(SELECT lower(tag) FROM unnest(tags) AS tag) @> %(tags)s::text[]
        AND (%(verses)s::jsonb = '[]' OR EXISTS (
            SELECT FROM jsonb_array_elements(verses) AS held, jsonb_to_recordset(%(verses)s::jsonb)
                AS asked (books text[], chapter int, first int, last int)
            WHERE lower(held ->> 0) = ANY(books) AND (held ->> 1)::int = chapter
                AND (asked.last = 0 OR (held ->> 3)::int = 0
                    OR (asked.first <= (held ->> 3)::int AND (held ->> 2)::int <= asked.last))))
)"""
_ONLY = " AND note_id IN (SELECT note_id FROM admitted)"

_DENSE = """{name} AS MATERIALIZED (
    SELECT user_id, note_id, position, -(embedding <#> %(vector)b) AS relevance
    FROM {vectors}
    WHERE user_id = %(user)s{only}
    ORDER BY {order}
    LIMIT {depth}
)"""

# BM25. What a word weighs in a chunk is stored; how rare it is among the user's chunks (its idf) is
# counted here, over the chunks that share a word with the question.
_LEXICAL = """asked AS MATERIALIZED (
    SELECT word, number
    FROM unnest((SELECT %(words)b::sparsevec[])) WITH ORDINALITY AS asked (word, number)
), sharing AS MATERIALIZED (
    SELECT note_id, position, words
    FROM chunk_words
    WHERE user_id = %(user)s AND words <#> %(any_word)b < 0
), occurrence AS MATERIALIZED (
    SELECT note_id, position, number, -(words <#> word) AS weight
    FROM sharing, asked
    WHERE words <#> word < 0
), rarity AS (
    SELECT number, ln(1 + (chunks - holding + 0.5) / (holding + 0.5))::float8 AS idf
    FROM (SELECT number, count(note_id) AS holding
          FROM asked LEFT JOIN occurrence USING (number) GROUP BY number) AS counted,
         (SELECT count(*) AS chunks FROM chunk_words WHERE user_id = %(user)s) AS own
), weighed AS MATERIALIZED (
    SELECT note_id, position, sum(weight * idf) AS bm25
    FROM occurrence JOIN rarity USING (number)
    GROUP BY note_id, position
), matching AS (
    SELECT %(user)s AS user_id, note_id, position, bm25 AS relevance
    FROM weighed
    WHERE true{only}
    ORDER BY relevance DESC, note_id, position
    LIMIT {depth}
)"""

# A chunk that one side alone has found gets what the other would have given it. (A sum of rows, as
# the planner takes `weighed` for small, and would scan all of it once a chunk to join it.)
_FUSED = """fused AS (
    SELECT %(user)s AS user_id, note_id, position, sum(part) AS relevance
    FROM (
        SELECT true AS found, note_id, position, -(embedding <#> %(vector)b){bonus} AS part
        FROM ({sides}) AS nominated JOIN {vectors} USING (user_id, note_id, position)
        UNION ALL
        SELECT false, note_id, position, %(lexical_weight)s::float8 * bm25 FROM weighed
    ) AS parts
    GROUP BY note_id, position
    HAVING bool_or(found)
    ORDER BY relevance DESC, note_id, position
    LIMIT {k}
)"""
_SIDE = "SELECT user_id, note_id, position FROM {side}"
_BONUS = " + CASE WHEN note_id IN (SELECT note_id FROM admitted) THEN {bonus} ELSE 0 END"

_FOUND = {
    SearchMode.DENSE: "nearest",
    SearchMode.LEXICAL: "matching",
    SearchMode.HYBRID: "fused",
}

_HITS = """
SELECT {covered}, found.note_id, found.position, notes.title, chunk.heading, chunk.text,
       chunk.start_char, chunk.end_char, notes.author, notes.date, notes.tags, notes.verses::text,
       -(place.embedding <#> %(vector)b) AS score, chunk.tokens, chunk.tokens_of, found.relevance
       {more}
FROM users
LEFT JOIN ({found} AS found
    JOIN {vectors} AS place USING (user_id, note_id, position)
    JOIN chunks AS chunk USING (user_id, note_id, position)
    JOIN notes ON notes.user_id = found.user_id AND notes.id = found.note_id
) ON found.user_id = users.id
WHERE users.id = %(user)s
"""

# Who covers the user: none where a chunk may lack its vector.
_COVERED_OWN = "users.embedder || CASE WHEN users.lacks_vectors THEN ' behind' ELSE '' END"
_COVERED_BESIDE = """(SELECT covered.embedder FROM vectors_covered AS covered
        WHERE covered.user_id = users.id AND covered.embedder = %(embedder)s
            AND covered.epoch = users.epoch)"""
_BESIDE = """beside AS NOT MATERIALIZED (
    SELECT user_id, note_id, position, embedding
    FROM vectors_beside
    WHERE user_id = %(user)s AND embedder = %(embedder)s
)"""

_RARITY = ", ARRAY(SELECT idf FROM rarity ORDER BY number)"
_AVAILABLE = """,
       (SELECT count(*) FROM
           (SELECT FROM chunk_vectors WHERE user_id = %(user)s{only} LIMIT {k}) AS asked_for)"""


@lru_cache(maxsize=256)
def search_statement(
    mode: SearchMode,
    method: SearchMethod,
    k: int,
    *,
    filtered: bool = False,
    named: bool = False,
    beside: bool = False,
) -> str:
    """The statement that finds `k` chunks of `%(user)s`.

    It takes `%(vector)s` and, unless the mode is dense, `%(words)s`, the question's words each as a
    vector of one dimension, and `%(any_word)s`, their sum; where both decide, `%(lexical_weight)s`,
    what a point of BM25 counts beside the cosine; where it is `filtered` or `named`,
    `%(since)s`, `%(until)s`, `%(tags)s` and `%(verses)s` too.

    Args:
        filtered: only notes that meet the filters are found.
        named: their chunks are a third side of what is fused.
        beside: the vectors are those of `%(embedder)s` beside the user's own; scanned exactly.
    """
    only = _ONLY if filtered else ""
    depth = max(FUSED_DEPTH, k) if mode is SearchMode.HYBRID else k
    vectors = "beside" if beside else "chunk_vectors"
    near = partial(_DENSE.format, vectors=vectors, depth=depth)
    dense = near(name="nearest", only=only, order=_ORDER[method])
    lexical = _LEXICAL.format(only=only, depth=depth)
    about = [near(name="about", only=_ONLY, order=_ORDER[SearchMethod.EXACT])] if named else []
    parts = {
        SearchMode.DENSE: [dense],
        SearchMode.LEXICAL: [lexical],
        SearchMode.HYBRID: [dense, lexical, *about, _fusion(vectors, named, k)],
    }[mode]
    if filtered or named:
        parts.insert(0, _ADMITTED)
    if beside:
        parts.insert(0, _BESIDE)
    walks = method is SearchMethod.HNSW and mode is not SearchMode.LEXICAL
    rarity = "" if mode is SearchMode.DENSE else _RARITY
    more = rarity + (_AVAILABLE.format(only=only, k=k) if walks else "")
    covered = _COVERED_BESIDE if beside else _COVERED_OWN
    hits = _HITS.format(found=_FOUND[mode], more=more, covered=covered, vectors=vectors)
    return f"WITH {', '.join(parts)}{hits}"


def _fusion(vectors: str, named: bool, k: int) -> str:
    sides = ["nearest", "matching", *(["about"] if named else [])]
    return _FUSED.format(
        bonus=_BONUS.format(bonus=NAMED_BONUS) if named else "",
        sides=" UNION ".join(_SIDE.format(side=side) for side in sides),
        vectors=vectors,
        k=k,
    )
