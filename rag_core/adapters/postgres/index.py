"""The HNSW index over vectors: there only where it is asked for, as every write pays for it."""

from __future__ import annotations

from enum import StrEnum

import psycopg

from rag_core.adapters.postgres.connection import CONNECT_TIMEOUT_S
from rag_core.adapters.postgres.database import Database
from rag_core.adapters.postgres.failures import translated
from rag_core.domain.ranking import SearchMethod
from rag_core.errors import ConfigurationError, InvalidInput

HNSW_INDEX = "chunk_vectors_hnsw"

_STATE = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"


class IndexKind(StrEnum):
    """What `chunk_vectors` is indexed by, beside its key."""

    NONE = "none"
    HNSW = "hnsw"


async def index_vectors(
    database_url: str, kind: IndexKind, *, m: int = 16, ef_construction: int = 64
) -> bool:
    """Build or drop the index while others read and write; whether there was anything to do.

    A build that was interrupted left an invalid index behind: it is dropped and built again.

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
            found = await connection.execute(_STATE, (HNSW_INDEX,))
            state = await found.fetchone()
            if state == ((True,) if kind is IndexKind.HNSW else None):
                return False
            await connection.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {HNSW_INDEX}")
            if kind is IndexKind.HNSW:
                await connection.execute(
                    f"CREATE INDEX CONCURRENTLY {HNSW_INDEX} ON chunk_vectors"
                    " USING hnsw (embedding vector_ip_ops)"
                    f" WITH (m = {m:d}, ef_construction = {ef_construction:d})"
                )
            return True


async def check_index(database: Database, method: SearchMethod) -> None:
    """Refuse to search by an index that is not there: a scan in its name would be a lie.

    Raises:
        ConfigurationError: the method needs the index.
    """
    if method is SearchMethod.HNSW and await database.fetch(_STATE, (HNSW_INDEX,)) != [(True,)]:
        raise ConfigurationError(
            "RAG_SEARCH_METHOD",
            "is hnsw, but the database has no HNSW index",
            "Run: python -m rag_core index hnsw",
        )
