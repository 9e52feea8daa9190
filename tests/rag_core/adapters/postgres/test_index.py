"""The index over vectors: there where it is asked for, and exchanged while others search."""

from __future__ import annotations

import pytest

from rag_core.adapters.postgres import (
    HNSW_INDEX,
    IndexKind,
    check_index,
    index_vectors,
    open_database,
)
from rag_core.domain import HNSW_EF_CONSTRUCTION, HNSW_M, SearchMethod
from rag_core.errors import ConfigurationError
from tests.rag_core.library import connected


async def test_the_index_is_there_only_where_it_was_asked_for(own_database: str) -> None:
    """To search by it where it is not is refused, and building it again does nothing."""
    async with open_database(own_database) as database:
        with pytest.raises(ConfigurationError, match="rag_core index hnsw"):
            await check_index(database, SearchMethod.HNSW)
        assert not await index_vectors(own_database, IndexKind.NONE)
        assert await index_vectors(own_database, IndexKind.HNSW, m=8, ef_construction=32)
        assert await check_index(database, SearchMethod.HNSW) == "halfvec m=8 ef_construction=32"
        assert not await index_vectors(own_database, IndexKind.HNSW, m=8, ef_construction=32)
        assert await index_vectors(own_database, IndexKind.NONE)
        with pytest.raises(ConfigurationError):
            await check_index(database, SearchMethod.HNSW)
        assert await check_index(database, SearchMethod.EXACT) == ""


async def test_an_index_with_other_numbers_takes_the_place_of_the_old_one(
    own_database: str,
) -> None:
    assert await index_vectors(own_database, IndexKind.HNSW, m=8, ef_construction=32)
    assert await index_vectors(own_database, IndexKind.HNSW, m=12, ef_construction=40)
    assert indexes(own_database) == [(HNSW_INDEX, True, ["m=12", "ef_construction=40"])]


@pytest.mark.parametrize("dropped", [False, True], ids=["before the drop", "after the drop"])
async def test_an_exchange_that_was_interrupted_is_finished(
    own_database: str, dropped: bool
) -> None:
    """And there is an index to search by in every state that it may have been left in."""
    assert await index_vectors(own_database, IndexKind.HNSW, m=8, ef_construction=32)
    with connected(own_database) as connection:
        connection.execute(
            "CREATE INDEX chunk_vectors_hnsw_next ON chunk_vectors"
            " USING hnsw ((embedding::halfvec(384)) halfvec_ip_ops)"
            " WITH (m = 12, ef_construction = 40)"
        )
        if dropped:
            connection.execute(f"DROP INDEX {HNSW_INDEX}")
    async with open_database(own_database) as database:
        assert await check_index(database, SearchMethod.HNSW)
    assert await index_vectors(own_database, IndexKind.HNSW, m=12, ef_construction=40)
    assert indexes(own_database) == [(HNSW_INDEX, True, ["m=12", "ef_construction=40"])]


async def test_an_index_over_whole_vectors_is_refused_and_exchanged(own_database: str) -> None:
    """Today's statement cannot walk it: a search would scan every user's rows, and say nothing."""
    with connected(own_database) as connection:
        connection.execute(
            f"CREATE INDEX {HNSW_INDEX} ON chunk_vectors USING hnsw (embedding vector_ip_ops)"
            f" WITH (m = {HNSW_M}, ef_construction = {HNSW_EF_CONSTRUCTION})"
        )
    async with open_database(own_database) as database:
        with pytest.raises(ConfigurationError, match="over half vectors"):
            await check_index(database, SearchMethod.HNSW)
        assert await index_vectors(own_database, IndexKind.HNSW)
        assert (await check_index(database, SearchMethod.HNSW)).startswith("halfvec m=")
    assert len(indexes(own_database)) == 1


async def test_a_build_that_was_interrupted_is_begun_again(own_database: str) -> None:
    assert await index_vectors(own_database, IndexKind.HNSW)
    with connected(own_database) as connection:
        connection.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass(%s)",
            [HNSW_INDEX],
        )
    async with open_database(own_database) as database:
        with pytest.raises(ConfigurationError, match="no HNSW index"):
            await check_index(database, SearchMethod.HNSW)
    assert await index_vectors(own_database, IndexKind.HNSW)
    assert [whole for _, whole, _ in indexes(own_database)] == [True]


def indexes(url: str) -> list[tuple[str, bool, list[str]]]:
    """Every HNSW index: its name, whether it is whole, and what it was built with."""
    with connected(url) as connection:
        return connection.execute(
            "SELECT relname, indisvalid, reloptions FROM pg_index"
            " JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_am ON pg_am.oid = relam"
            " WHERE amname = 'hnsw' ORDER BY relname"
        ).fetchall()
