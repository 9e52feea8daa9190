"""Notes changed by plain SQL, round the store: epochs and purging follow all the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rag_core.adapters.postgres import Database, PostgresNotes, open_database
from rag_core.domain import UserId
from tests.rag_core.adapters.postgres.note_saves import save
from tests.rag_core.library import connected, epoch_of, note, rows


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
