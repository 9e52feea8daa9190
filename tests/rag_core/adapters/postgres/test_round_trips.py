"""How many round trips a search, an epoch and a save take."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.postgres import Database, PostgresNotes, PostgresRetriever, open_database
from rag_core.domain import Query, UserId
from tests.rag_core.adapters.postgres.note_saves import save
from tests.rag_core.library import epoch_of, library, note, rows
from tests.servers import chosen
from tests.servers.counting_proxy import CountingProxy, counting_proxy

DIGEST = HashingEmbedder().digest


@pytest.fixture
async def proxied(database_url: str) -> AsyncIterator[tuple[CountingProxy, Database]]:
    """The database behind a proxy, with its connections open and its statements prepared."""
    async with (
        counting_proxy(database_url) as proxy,
        open_database(
            proxy.url,
            read_connections=1,
            write_connections=1,
            read_timeout_s=30,
            write_timeout_s=30,
            prepare=chosen.PREPARE,
        ) as database,
    ):
        yield proxy, database


async def trips(proxy: CountingProxy, *works: Callable[[], Awaitable[None]]) -> list[int]:
    """Round trips of each; replies are late, so that what does not wait for them is not counted."""
    counts = []
    proxy.delay_s = 0.25  # longer than a busy machine takes to send all that it has to say
    for work in works:
        before = proxy.round_trips
        await work()
        counts.append(proxy.round_trips - before)
    return counts


async def test_a_search_and_an_epoch_take_one_round_trip_each(
    proxied: tuple[CountingProxy, Database], user: UserId
) -> None:
    proxy, database = proxied
    await save(database, user, *library(5))
    question = (await HashingEmbedder().embed(["grace"]))[0]
    retriever = PostgresRetriever(database, embedder_digest=DIGEST)

    async def search() -> None:
        assert len((await retriever.search(user, Query(question), k=5)).hits) == 5

    async def epoch() -> None:
        assert await epoch_of(database, user)

    await search()
    await epoch()
    assert await trips(proxy, search, epoch, search, epoch) == [1, 1, 1, 1]


async def test_saving_a_note_takes_six_round_trips_at_most_beside_however_many_others(
    proxied: tuple[CountingProxy, Database], user: UserId
) -> None:
    proxy, database = proxied
    store = PostgresNotes(database)
    await save(database, user, *library(300))
    await save(database, user, note("harvest"), note("grace", "Not yet edited."))
    await save(database, user, note("grace", "Once edited."))
    await store.delete(user, "harvest")

    async def new() -> None:
        await save(database, user, note("storm"))

    async def edit() -> None:
        await save(database, user, note("grace", "Edited."))

    async def same() -> None:
        await save(database, user, note("grace", "Edited."))

    async def delete() -> None:
        await store.delete(user, "grace")

    counts = await trips(proxy, new, edit, same, delete)
    assert max(counts) <= 6
    assert counts == [4, 5, 1, 2]


async def test_a_search_over_the_graph_takes_one_round_trip_and_leaves_the_session_as_it_was(
    own_database: str, user: UserId
) -> None:
    from rag_core.adapters.postgres import IndexKind, index_vectors
    from rag_core.domain import SearchMethod

    await index_vectors(own_database, IndexKind.HNSW)
    question = (await HashingEmbedder().embed(["grace"]))[0]
    async with (
        counting_proxy(own_database) as proxy,
        # One connection each: a pool that grew in the background would be counted, too.
        open_database(
            proxy.url, read_connections=1, write_connections=1, read_timeout_s=30
        ) as database,
    ):
        await save(database, user, *library(5))
        retriever = PostgresRetriever(
            database, embedder_digest=DIGEST, method=SearchMethod.HNSW, ef_search=77
        )

        async def search() -> None:
            assert len((await retriever.search(user, Query(question), k=5)).hits) == 5

        await search()
        assert await trips(proxy, search, search) == [1, 1]
        assert await rows(database, "SHOW enable_sort") == [("on",)]
        assert await rows(database, "SHOW hnsw.ef_search") != [("77",)]
