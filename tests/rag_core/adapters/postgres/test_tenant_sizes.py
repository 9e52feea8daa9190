"""A scan for who has few chunks, the graph for who has many."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from rag_core.adapters.postgres import (
    COUNTED_FOR_S,
    HNSW_INDEX,
    Database,
    IndexKind,
    PostgresNotes,
    PostgresRetriever,
    TenantSizes,
    index_vectors,
    open_database,
)
from rag_core.clock import ManualClock
from rag_core.domain import Query, SearchMethod, UserId
from tests.rag_core.adapters.postgres.test_search import DIGEST, store, unit_vectors

FEW = 4


@pytest.fixture
async def indexed(own_database: str) -> AsyncIterator[Database]:
    """A database of the test's own with the HNSW index."""
    await index_vectors(own_database, IndexKind.HNSW)
    async with open_database(own_database, read_timeout_s=30, write_timeout_s=30) as database:
        yield database


async def test_who_has_few_chunks_is_searched_exactly_and_who_has_more_by_the_graph(
    indexed: Database, user: UserId, other_user: UserId
) -> None:
    await store(indexed, user, unit_vectors(FEW, seed=1))
    await store(indexed, other_user, unit_vectors(FEW + 1, seed=1))
    retriever = PostgresRetriever(
        indexed, embedder_digest=DIGEST, method=SearchMethod.HNSW, exact_up_to=FEW
    )
    query = Query(unit_vectors(1, seed=2)[0])
    for asker, by_graph in ((user, False), (other_user, True)):
        plan = await retriever.explain(asker, query, k=3)
        assert any(node.index == HNSW_INDEX for node in plan) is by_graph
        assert len((await retriever.search(asker, query, k=3)).hits) == 3


async def test_a_count_is_believed_for_a_while_and_then_made_again(
    database: Database, user: UserId
) -> None:
    clock = ManualClock()
    sizes = TenantSizes(database, FEW, clock.monotonic)
    assert not await sizes.larger(user)
    await store(database, user, unit_vectors(FEW + 1, seed=1))
    clock.advance(COUNTED_FOR_S - 1)
    assert not await sizes.larger(user)
    clock.advance(1)
    assert await sizes.larger(user)


async def test_without_a_limit_nobody_is_counted(database: Database, user: UserId) -> None:
    """Also where the database does not answer."""

    class Gone(Database):
        async def fetch(self, *_: object, **__: object) -> list[tuple[object, ...]]:
            raise AssertionError("asked")

    assert await TenantSizes(Gone.__new__(Gone), 0).larger(user)


async def test_notes_of_others_do_not_count(
    database: Database, user: UserId, other_user: UserId
) -> None:
    await store(database, other_user, unit_vectors(FEW + 1, seed=1))
    await store(database, user, unit_vectors(1, seed=1))
    assert await PostgresNotes(database).read(user)
    assert not await TenantSizes(database, FEW).larger(user)
