"""The HNSW index over vectors: there only where it is asked for, as every write pays for it.

The graph compares vectors in half precision, in two fifths less memory; the hits' own scores are of
the whole vectors all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import psycopg

from rag_core.adapters.postgres.connection import CONNECT_TIMEOUT_S
from rag_core.adapters.postgres.database import Database
from rag_core.adapters.postgres.failures import translated
from rag_core.domain.ranking import HNSW_EF_CONSTRUCTION, HNSW_M, SearchMethod
from rag_core.errors import ConfigurationError, InvalidInput

HNSW_INDEX = "chunk_vectors_hnsw"
_NEXT_INDEX = "chunk_vectors_hnsw_next"
"""What takes the other's place: built beside it, and renamed once it is gone."""

COMPARED = "embedding::halfvec(384)"
"""What the graph compares: a search must order by the very same expression to walk it."""

# Each of the two that is there: its name, whether a search can walk it, and what it was built with.
# A search can not where the build was interrupted, or where it compares something else.
_FOUND = """
SELECT relname, indisvalid AND attribute.atttypid = to_regtype('halfvec'),
    concat_ws(' ', format_type(attribute.atttypid, NULL), array_to_string(reloptions, ' '))
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    JOIN pg_attribute AS attribute ON attribute.attrelid = indexrelid AND attribute.attnum = 1
WHERE indexrelid IN (to_regclass(%s), to_regclass(%s))
"""
_NAMES = (HNSW_INDEX, _NEXT_INDEX)


class IndexKind(StrEnum):
    """What `chunk_vectors` is indexed by, beside its key."""

    NONE = "none"
    HNSW = "hnsw"


async def index_vectors(
    database_url: str,
    kind: IndexKind,
    *,
    m: int = HNSW_M,
    ef_construction: int = HNSW_EF_CONSTRUCTION,
) -> bool:
    """Build, exchange or drop the index while others read and write; whether anything was done.

    One with other numbers is built beside the old one, which is dropped after that: searches have
    an index all the while. An interrupted build left an invalid one behind, which goes; one over
    whole vectors is exchanged, too.

    Args:
        m: links of a node in the graph, 2 to 100.
        ef_construction: candidates kept while building, at least 2 * m, at most 1000.

    Raises:
        InvalidInput: `ef_construction` is below 2 * m.
        DatabaseUnavailable: the server cannot be reached, or went away meanwhile.
    """
    if ef_construction < 2 * m:
        raise InvalidInput(
            "ef_construction", f"must be at least 2 * m = {2 * m}, got {ef_construction}"
        )
    with translated(database_url):
        async with await psycopg.AsyncConnection.connect(
            database_url,
            autocommit=True,
            prepare_threshold=None,
            connect_timeout=CONNECT_TIMEOUT_S,
        ) as connection:
            rows = await (await connection.execute(_FOUND, _NAMES)).fetchall()
            found = {name: (whole, built_with) for name, whole, built_with in rows}
            if kind is IndexKind.NONE:
                await _drop(connection, *found)
                return bool(found)
            numbers = f"m={m:d} ef_construction={ef_construction:d}"
            return await _exchange(connection, found, numbers)


async def _exchange(
    connection: psycopg.AsyncConnection[Any], found: Mapping[str, tuple[bool, str]], numbers: str
) -> bool:
    wanted = (True, f"halfvec {numbers}")
    if found.get(HNSW_INDEX) == wanted:
        await _drop(connection, *found.keys() - {HNSW_INDEX})
        return False
    if found.get(_NEXT_INDEX) != wanted:
        await _drop(connection, _NEXT_INDEX)
        await connection.execute(
            f"CREATE INDEX CONCURRENTLY {_NEXT_INDEX} ON chunk_vectors"
            f" USING hnsw (({COMPARED}) halfvec_ip_ops) WITH ({numbers.replace(' ', ', ')})"
        )
    await _drop(connection, HNSW_INDEX)
    await connection.execute(f"ALTER INDEX {_NEXT_INDEX} RENAME TO {HNSW_INDEX}")
    return True


async def _drop(connection: psycopg.AsyncConnection[Any], *names: str) -> None:
    for name in names:
        await connection.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


async def check_index(database: Database, method: SearchMethod) -> str:
    """What the index that the method needs was built with; empty where it needs none.

    A scan in its name would be a lie.

    Raises:
        ConfigurationError: the method needs the index, and it is not there.
    """
    if method is SearchMethod.EXACT:
        return ""
    rows = await database.fetch(_FOUND, _NAMES)
    whole = [built_with for _, is_whole, built_with in sorted(rows) if is_whole]
    if not whole:
        raise ConfigurationError(
            "RAG_SEARCH_METHOD",
            "is hnsw, but the database has no HNSW index over half vectors",
            "Run: python -m rag_core index hnsw",
        )
    return str(whole[0])


def never_sorting(url: str) -> str:
    """The database of this URL, as one that walks the graph however few rows there are.

    For studies of the graph and for tests: a deployment leaves it to Postgres, which scans and
    sorts all rows where there are fewer than some 2,500. (pgbouncer does not let it pass.)
    """
    return f"{url}{'&' if '?' in url else '?'}options=-c%20enable_sort%3Doff"
