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

from rag_core.adapters.postgres.index import COMPARED
from rag_core.domain.query import FUSED_DEPTH, NAMED_BONUS, SearchMode
from rag_core.domain.ranking import SearchMethod

# Vectors have unit length, so the (negative) inner product orders as the cosine does, for less.
# `+ 0` keeps an HNSW index over whole vectors out, where one was left: it serves the bare distance.
_ORDER = {
    SearchMethod.EXACT: "(embedding <#> %(vector)b) + 0, note_id, position",
    SearchMethod.HNSW: f"({COMPARED}) <#> %(vector)b::halfvec(384)",
}

# Of a condition that it cannot look into, Postgres expects that half of all rows meet it, and goes
# by the graph, unless scanning the whole table is as cheap. By the bare condition it would go to
# the user's own rows, or to all rows, and sort them.
_OWN = {
    SearchMethod.EXACT: "user_id = %(user)s{only}",
    SearchMethod.HNSW: """CASE WHEN user_id = %(user)s{only} THEN true END
        AND (SELECT {settings}) IS NOT NULL""",
}

# A filter by user leaves few of the graph's nearest: go on until there are enough. The strict order
# would drop what is found late but near; the search sorts in any case. (40 of 9,640 chunks, k = 5:
# recall 0.92 against 0.74, in the same time.) They are set before the walk begins, and end with the
# statement.
_WALK = {"hnsw.iterative_scan": "relaxed_order", "hnsw.max_scan_tuples": "100000"}

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
    WHERE {own}
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
    SELECT %(user)s AS user_id, note_id, position, max(score) AS score, sum(part) AS relevance
    FROM (
        SELECT note_id, position, score, score{bonus} AS part
        FROM ({sides}) AS nominated JOIN {vectors} USING (note_id, position),
            LATERAL (SELECT -(embedding <#> %(vector)b) AS score) AS cosine
        WHERE user_id = %(user)s
        UNION ALL
        SELECT note_id, position, NULL, %(lexical_weight)s::float8 * bm25 FROM weighed
    ) AS parts
    GROUP BY note_id, position
    HAVING max(score) IS NOT NULL
    ORDER BY relevance DESC, note_id, position
    LIMIT {k}
)"""
_SIDE = "SELECT note_id, position FROM {side}"
_BONUS = " + CASE WHEN note_id IN (SELECT note_id FROM admitted) THEN {bonus} ELSE 0 END"

_FOUND = {
    SearchMode.DENSE: "nearest",
    SearchMode.LEXICAL: "matching",
    SearchMode.HYBRID: "fused",
}

_HITS = """
SELECT {covered}, found.note_id, found.position, notes.title, chunk.heading, chunk.text,
       chunk.start_char, chunk.end_char, notes.author, notes.date, notes.tags, notes.verses::text,
       {score}, chunk.tokens, chunk.tokens_of, found.relevance{more}
FROM users
LEFT JOIN ({found} AS found{place}
    JOIN chunks AS chunk USING (user_id, note_id, position)
    JOIN notes ON notes.user_id = found.user_id AND notes.id = found.note_id
) ON found.user_id = users.id
WHERE users.id = %(user)s
"""

# A search by words alone has not seen the vectors.
_SCORE = {
    SearchMode.DENSE: "found.relevance",
    SearchMode.LEXICAL: "-(place.embedding <#> %(vector)b)",
    SearchMode.HYBRID: "found.score",
}
_PLACE = "\n    JOIN {vectors} AS place USING (user_id, note_id, position)"

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

_RARITY = ",\n       ARRAY(SELECT idf FROM rarity ORDER BY number)"


@lru_cache(maxsize=256)
def search_statement(
    mode: SearchMode,
    method: SearchMethod,
    k: int,
    *,
    filtered: bool = False,
    named: bool = False,
    beside: bool = False,
    ef_search: int = 100,
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
        ef_search: candidates that a walk of the graph keeps.
    """
    only = _ONLY if filtered else ""
    depth = max(FUSED_DEPTH, k) if mode is SearchMode.HYBRID else k
    vectors = "beside" if beside else "chunk_vectors"
    near = partial(_nearest, vectors=vectors, depth=depth, ef_search=ef_search)
    dense = near("nearest", method, only)
    lexical = _LEXICAL.format(only=only, depth=depth)
    about = [near("about", SearchMethod.EXACT, _ONLY)] if named else []
    parts = {
        SearchMode.DENSE: [dense],
        SearchMode.LEXICAL: [lexical],
        SearchMode.HYBRID: [dense, lexical, *about, _fusion(vectors, named, k)],
    }[mode]
    if filtered or named:
        parts.insert(0, _ADMITTED)
    if beside:
        parts.insert(0, _BESIDE)
    more = "" if mode is SearchMode.DENSE else _RARITY
    covered = _COVERED_BESIDE if beside else _COVERED_OWN
    place = _PLACE.format(vectors=vectors) if mode is SearchMode.LEXICAL else ""
    hits = _HITS.format(
        found=_FOUND[mode], score=_SCORE[mode], place=place, more=more, covered=covered
    )
    # psycopg keeps what it has read of a statement, up to 4,096 characters.
    return f"WITH {', '.join(parts)}{hits}".replace("    ", "")


def _nearest(
    name: str, method: SearchMethod, only: str, *, vectors: str, depth: int, ef_search: int
) -> str:
    told = {**_WALK, "hnsw.ef_search": str(ef_search)}
    settings = "\n            || ".join(f"set_config('{key}', '{told[key]}', true)" for key in told)
    own = _OWN[method].format(only=only, settings=settings)
    return _DENSE.format(name=name, vectors=vectors, own=own, order=_ORDER[method], depth=depth)


def _fusion(vectors: str, named: bool, k: int) -> str:
    sides = ["nearest", "matching", *(["about"] if named else [])]
    return _FUSED.format(
        bonus=_BONUS.format(bonus=NAMED_BONUS) if named else "",
        sides=" UNION ".join(_SIDE.format(side=side) for side in sides),
        vectors=vectors,
        k=k,
    )
