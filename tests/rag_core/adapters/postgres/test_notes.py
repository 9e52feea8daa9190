"""The note store in Postgres: what it keeps, who else may change it, and what it costs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.postgres import (
    Database,
    PostgresEpochs,
    PostgresNotes,
    PostgresRetriever,
    open_database,
)
from rag_core.cache import Epoch
from rag_core.domain import Note, Query, UserId, WholeNoteChunker
from rag_core.errors import DatabaseUnavailable
from rag_core.ingest import Ingest
from tests.rag_core.library import connected, library, note, rows
from tests.servers import chosen
from tests.servers.counting_proxy import CountingProxy, counting_proxy

DIGEST = HashingEmbedder().digest


def ingest_into(database: Database) -> Ingest:
    """Each note as one chunk."""
    return Ingest(
        store=PostgresNotes(database), embedder=HashingEmbedder(), chunker=WholeNoteChunker()
    )


async def save(database: Database, user: UserId, *notes: Note) -> None:
    await ingest_into(database).run(user, notes)


async def epoch_of(database: Database, user: UserId) -> Epoch | None:
    return (await PostgresEpochs(database)([user])).get(user)


async def test_a_deleted_note_is_kept_softly_without_its_chunks(
    database: Database, user: UserId
) -> None:
    await save(database, user, note("grace"), note("storm"))
    assert await PostgresNotes(database).delete(user, "grace")
    kept = await rows(
        database, "SELECT body FROM notes WHERE user_id = %s AND deleted_at IS NOT NULL", user
    )
    assert kept == [(note("grace").body,)]
    for table in ("chunks", "chunk_vectors", "chunk_words", "note_chunks"):
        left = await rows(database, f"SELECT note_id FROM {table} WHERE user_id = %s", user)
        assert left == [("storm",)]


async def test_deleting_a_note_of_an_unknown_user_makes_no_user(
    database: Database, user: UserId
) -> None:
    assert not await PostgresNotes(database).delete(user, "grace")
    assert await epoch_of(database, user) is None


async def someone_waits_for_a_lock(database: Database) -> None:
    waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    while not await rows(database, waiting):
        pass


# Whoever goes round the store


async def test_a_note_deleted_by_plain_sql_is_purged_with_the_chunks_it_left(
    database: Database, database_url: str, user: UserId
) -> None:
    await save(database, user, note("grace"), note("storm"))
    with connected(database_url) as connection:
        connection.execute(
            "UPDATE notes SET deleted_at = now() WHERE user_id = %s AND id = 'grace'", (user,)
        )
    store = PostgresNotes(database)
    assert await store.purge(user, datetime.now(UTC) + timedelta(minutes=1)) == 1
    assert await rows(database, "SELECT note_id FROM chunks WHERE user_id = %s", user) == [
        ("storm",)
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE notes SET title = 'Another' WHERE user_id = %(user)s AND id = 'grace'",
        "UPDATE chunks SET text = 'Another' WHERE user_id = %(user)s AND note_id = 'grace'",
        "DELETE FROM chunks WHERE user_id = %(user)s AND note_id = 'grace'",
        "UPDATE chunk_vectors SET embedding = embedding * embedding WHERE user_id = %(user)s",
        "DELETE FROM chunk_vectors WHERE user_id = %(user)s",
        "UPDATE chunk_words SET words = '{1:1}/1000000000' WHERE user_id = %(user)s",
        "DELETE FROM chunk_words WHERE user_id = %(user)s",
        "INSERT INTO notes (user_id, id, version, chunking, title, body, author, tags, verses)"
        " VALUES (%(user)s, 'new', 'v', 'c', 't', 'b', 'a', '{}', '[]')",
        "UPDATE notes SET deleted_at = now() WHERE user_id = %(user)s",
    ],
)
async def test_a_change_by_plain_sql_changes_the_epoch_of_that_user_alone(
    database: Database, database_url: str, user: UserId, other_user: UserId, statement: str
) -> None:
    await save(database, user, note("grace"), note("storm"))
    await save(database, other_user, note("grace"))
    before, theirs = await epoch_of(database, user), await epoch_of(database, other_user)
    with connected(database_url) as connection:
        connection.execute(statement.encode(), {"user": user})
    assert await epoch_of(database, user) not in (None, before)
    assert await epoch_of(database, other_user) == theirs


async def test_a_change_by_plain_sql_that_changes_nothing_leaves_the_epoch(
    database: Database, database_url: str, user: UserId
) -> None:
    await save(database, user, note("grace"))
    before = await epoch_of(database, user)
    with connected(database_url) as connection:
        connection.execute("DELETE FROM chunks WHERE user_id = %s AND note_id = 'none'", (user,))
    assert await epoch_of(database, user) == before


async def test_a_note_that_is_given_to_another_user_changes_the_epochs_of_both(
    database: Database, database_url: str, user: UserId, other_user: UserId
) -> None:
    await save(database, user, note("grace"), note("storm"))
    await save(database, other_user, note("harvest"))
    await PostgresNotes(database).delete(user, "grace")
    before = [await epoch_of(database, one) for one in (user, other_user)]
    with connected(database_url) as connection:
        connection.execute(
            "UPDATE notes SET user_id = %s WHERE user_id = %s AND id = 'grace'", (other_user, user)
        )
    after = [await epoch_of(database, one) for one in (user, other_user)]
    assert not set(before) & set(after)


async def test_truncating_a_table_changes_every_epoch(own_database: str, user: UserId) -> None:
    async with open_database(own_database) as database:
        await save(database, user, note("grace"))
        before = await epoch_of(database, user)
        with connected(own_database) as connection:
            for table in ("chunk_vectors", "chunk_words"):
                connection.execute(f"TRUNCATE {table}".encode())
                after = await epoch_of(database, user)
                assert after not in (None, before)
                before = after


async def test_an_edit_by_plain_sql_and_a_save_at_once_are_both_done(
    database: Database, database_url: str, user: UserId
) -> None:
    """They lock rows in opposite order: the save gives way and tries again."""
    await save(database, user, note("grace"))
    async with await psycopg.AsyncConnection.connect(database_url) as other:
        await other.execute("SELECT FROM notes WHERE user_id = %s FOR UPDATE", (user,))
        saving = asyncio.create_task(save(database, user, note("grace", "Edited."), note("storm")))
        await someone_waits_for_a_lock(database)
        await other.execute("UPDATE notes SET title = 'By SQL' WHERE user_id = %s", (user,))
    await saving
    assert [kept.body for kept in await PostgresNotes(database).read(user)] == [
        "Edited.",
        note("storm").body,
    ]


# What it costs


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


# When it does not answer


async def test_a_frozen_server_ends_reads_and_saves_in_their_time_and_the_next_succeeds(
    own_database: str, user: UserId
) -> None:
    async with (
        counting_proxy(own_database) as proxy,
        open_database(proxy.url, read_timeout_s=0.3, write_timeout_s=0.3) as database,
    ):
        await save(database, user, note("grace"))
        proxy.freeze()
        with pytest.raises(DatabaseUnavailable):
            await epoch_of(database, user)
        with pytest.raises(DatabaseUnavailable):
            await PostgresNotes(database).delete(user, "grace")
        proxy.resume()
    async with (
        counting_proxy(own_database) as proxy,
        open_database(proxy.url, read_timeout_s=0.3, write_timeout_s=5) as database,
    ):
        proxy.freeze()
        with pytest.raises(DatabaseUnavailable):
            await epoch_of(database, user)
        proxy.resume()
        patient = PostgresNotes(database)
        assert await patient.delete(user, "grace")


async def test_connections_that_were_cut_are_replaced_without_anybody_noticing(
    own_database: str, user: UserId
) -> None:
    async with (
        counting_proxy(own_database) as proxy,
        open_database(proxy.url, read_timeout_s=30, write_timeout_s=30) as database,
    ):
        await save(database, user, note("grace"))
        before = await epoch_of(database, user)
        for _ in range(3):
            proxy.cut()
            assert await epoch_of(database, user) == before
            proxy.cut()
            await save(database, user, note("storm", f"Edited after {before}."))
            before = await epoch_of(database, user)


async def test_saves_of_one_user_take_turns_without_taking_the_connections_of_others(
    own_database: str, user: UserId, other_user: UserId
) -> None:
    """Twenty saves wait for one that another process holds up; a question goes through."""
    async with open_database(own_database, write_timeout_s=30) as database:
        await save(database, user, note("grace"))
        await save(database, other_user, note("grace"))
        async with await psycopg.AsyncConnection.connect(own_database) as holder:
            await holder.execute("SELECT FROM users WHERE id = %s FOR UPDATE", (user,))
            saves = [
                asyncio.create_task(save(database, user, Note(f"{i}", "", f"Text {i}.")))
                for i in range(20)
            ]
            await someone_waits_for_a_lock(database)
            await save(database, other_user, note("storm"))
            assert await epoch_of(database, user)
            assert not any(one.done() for one in saves)
        await asyncio.gather(*saves)
    async with open_database(own_database) as database:
        assert len(await PostgresNotes(database).read(user)) == 21
