"""Migrations: what they build, and that running them again or at once does no harm."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from importlib.metadata import version
from importlib.resources import files

import psycopg
import pytest
from msgspec import structs

from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.postgres import PostgresNotes, PostgresRetriever, open_database
from rag_core.domain import Query, SearchMode, authenticated
from rag_core.errors import ConfigurationError, DatabaseUnavailable
from rag_core.migrations import migrate
from tests.rag_core.library import connected, note

NEWEST = "0014"
DIGEST = HashingEmbedder().digest


def test_migrate_returns_the_revision_and_a_second_run_changes_nothing(
    empty_database: str,
) -> None:
    assert migrate(empty_database) == NEWEST
    with connected(empty_database) as connection:
        connection.execute("INSERT INTO users (id) VALUES ('kept')")
    assert migrate(empty_database) == NEWEST
    with connected(empty_database) as connection:
        assert connection.execute("SELECT id FROM users").fetchall() == [("kept",)]


async def test_several_processes_may_migrate_at_once(empty_database: str) -> None:
    program = "import sys; from rag_core.migrations import migrate; print(migrate(sys.argv[1]))"
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", program, empty_database),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(4)
    ]
    outputs = await asyncio.gather(*(process.communicate() for process in processes))
    assert [process.returncode for process in processes] == [0] * 4, outputs
    assert {stdout for stdout, _ in outputs} == {f"{NEWEST}\n".encode()}


def test_migrate_leaves_no_lock_and_no_connection(empty_database: str) -> None:
    migrate(empty_database)
    with connected(empty_database) as connection:
        query = (
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        while connection.execute(query).fetchone() != (0,):  # a closed one takes a moment to go
            pass
        locks = connection.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        assert locks.fetchone() == (0,)


def test_an_unreachable_database_is_said_in_one_line() -> None:
    url = "postgresql://someone:secret-word@127.0.0.1:1/nothing"
    with pytest.raises(DatabaseUnavailable, match="cannot be reached") as raised:
        migrate(url)
    assert "RAG_DATABASE_URL" in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "secret-word" not in str(raised.value)


def test_a_bad_url_names_the_setting_and_keeps_the_secret(subtests: pytest.Subtests) -> None:
    for url in [
        "",
        "localhost:5432",
        "mysql://someone:secret-word@host/db",
        "postgresql://someone:secret-word@host:not-a-port/db",
        "postgresql://someone:secret-word@127.0.0.1:1/db?nonsense=1",
    ]:
        with subtests.test(url=url):
            with pytest.raises(ConfigurationError, match="RAG_DATABASE_URL") as raised:
                migrate(url)
            assert "secret-word" not in str(raised.value)


def test_the_users_id_leads_the_primary_key_of_every_table_that_holds_users_rows(
    database_url: str,
) -> None:
    with connected(database_url) as connection:
        leading = connection.execute(
            "SELECT relname, attname FROM pg_index"
            " JOIN pg_class ON pg_class.oid = indrelid"
            " JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]"
            " WHERE indisprimary AND relnamespace = 'public'::regnamespace"
            " AND relname NOT IN ('alembic_version', 'users', 'ledger_days', 'embedders')"
            " AND relname NOT LIKE 'procrastinate%'"  # the library's own; no word of a note
        ).fetchall()
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            " AND tablename NOT IN ('alembic_version', 'users', 'ledger_days', 'embedders')"
            " AND tablename NOT LIKE 'procrastinate%'"
        ).fetchall()
    assert {table for table, _ in leading} == {table for (table,) in tables}
    assert {"notes", "chunks", "chunk_vectors"} <= {table for table, _ in leading}
    by_user = {table: column for table, column in leading if table != "api_keys"}
    assert set(by_user.values()) == {"user_id"}
    assert ("api_keys", "prefix") in leading  # a key is looked up to learn whose it is


def test_vectors_stand_in_narrow_rows_without_an_index_that_nobody_asked_for(
    database_url: str,
) -> None:
    with connected(database_url) as connection:
        column = connection.execute(
            "SELECT format_type(atttypid, atttypmod), attstorage FROM pg_attribute"
            " WHERE attrelid = 'chunk_vectors'::regclass AND attname = 'embedding'"
        ).fetchone()
        columns = connection.execute(
            "SELECT count(*) FROM pg_attribute"
            " WHERE attrelid = 'chunk_vectors'::regclass AND attnum > 0"
        ).fetchone()
        indexes = connection.execute(
            "SELECT indexname FROM pg_indexes WHERE tablename = 'chunk_vectors'"
        ).fetchall()
    assert column == ("vector(384)", "p")
    assert columns == (4,)
    assert indexes == [("chunk_vectors_pkey",)]


def test_a_chunk_without_its_note_is_refused(database_url: str) -> None:
    with (
        connected(database_url) as connection,
        pytest.raises(psycopg.errors.ForeignKeyViolation),
    ):
        connection.execute("INSERT INTO chunks VALUES ('nobody', 'no note', 0, 0, 1, 'x', '', 'x')")


# From 0001


OLD_SEARCH = """
WITH nearest AS MATERIALIZED (
    SELECT user_id, note_id, position, embedding <=> %(vector)s::vector AS distance
    FROM note_chunks WHERE user_id = %(user)s
    ORDER BY (embedding <=> %(vector)s::vector) + 0, note_id, position LIMIT 5
)
SELECT nearest.note_id, chunk.text, chunk.start_char, nearest.distance
FROM nearest JOIN note_chunks AS chunk USING (user_id, note_id, position)
"""
"""What a reader of 0.1.0 asks."""


@pytest.fixture
async def old_database(empty_database: str) -> str:
    """A database at 0001 with one note of ruth's, as 0.1.0 left it."""
    migrate(empty_database, "0001")
    (vector,) = await HashingEmbedder().embed([note("grace").body])
    with connected(empty_database) as connection:
        connection.execute("INSERT INTO users (id, embedder) VALUES ('ruth', %s)", (DIGEST,))
        connection.execute(
            "INSERT INTO notes (user_id, id, version, chunking, title, body, author, tags, verses)"
            " VALUES ('ruth', 'grace', %s, 'old', %s, %s, '', '{}', '[]')",
            (note("grace").version, note("grace").title, note("grace").body),
        )
        connection.execute(
            "INSERT INTO note_chunks VALUES"
            " ('ruth', 'grace', 0, 0, %s, 'sha', '', %s, %s::real[]::vector)",
            (len(note("grace").body), note("grace").body, vector.tolist()),
        )
    return empty_database


async def test_what_0001_stored_is_found_after_the_migration(old_database: str) -> None:
    with connected(old_database) as connection:
        before = connection.execute("SELECT id, epoch FROM users").fetchall()
    migrate(old_database)
    (question,) = await HashingEmbedder().embed(["unearned grace"])
    ruth = authenticated("ruth")
    async with open_database(old_database) as database:
        retriever = PostgresRetriever(database, embedder_digest=DIGEST)
        (hit,) = (await retriever.search(ruth, Query(question), k=5)).hits
        assert (hit.note_id, hit.text, hit.score > 0.1) == ("grace", note("grace").body, True)
        assert hit.cost is None  # counted when it is asked for
        by_words = PostgresRetriever(database, embedder_digest=DIGEST, mode=SearchMode.LEXICAL)
        (same,) = (await by_words.search(ruth, Query(question, "unearned grace"), k=5)).hits
        assert same.bonus > 0  # the BM25 of what was stored before there were words
        assert structs.replace(same, bonus=hit.bonus) == hit
        assert await PostgresNotes(database).read(ruth) == [note("grace")]
    with connected(old_database) as connection:
        assert connection.execute("SELECT id, epoch FROM users").fetchall() == before


async def test_readers_of_0001_read_on_while_and_after_it_is_migrated(old_database: str) -> None:
    """A statement that was prepared before is answered the same all along."""
    (question,) = await HashingEmbedder().embed(["unearned grace"])
    parameters = {"user": "ruth", "vector": str(question.tolist())}
    with psycopg.connect(old_database, prepare_threshold=0) as reader:
        reader.autocommit = True
        before = reader.execute(OLD_SEARCH, parameters)
        rows = before.fetchall()
        migrating = asyncio.create_task(asyncio.to_thread(migrate, old_database))
        while not migrating.done():
            during = reader.execute(OLD_SEARCH, parameters)
            assert during.fetchall() == rows
            await asyncio.sleep(0)
        assert await migrating == NEWEST
        after = reader.execute(OLD_SEARCH, parameters)
        assert after.fetchall() == rows
    assert len(rows) == 1


def test_a_writer_of_0001_is_refused_and_writes_nothing(old_database: str) -> None:
    migrate(old_database)
    with connected(old_database) as connection, pytest.raises(psycopg.Error):
        connection.execute(
            "INSERT INTO note_chunks VALUES"
            " ('ruth', 'grace', 1, 0, 1, 'x', '', 'x', array_fill(0.1, '{384}')::vector)"
        )


def test_the_queues_tables_are_those_that_its_library_makes(database_url: str) -> None:
    """A newer procrastinate with other tables wants a migration of ours, from what is noted on."""
    migrations = files("procrastinate").joinpath("sql", "migrations").iterdir()
    newest = max(each.name for each in migrations if each.name.endswith(".sql"))
    assert newest == "03.04.00_50_post_add_retry_failed_job_procedure.sql"
    with connected(database_url) as connection:
        (noted,) = connection.execute(
            "SELECT obj_description('procrastinate_jobs'::regclass)"
        ).fetchall()
    assert noted == (f"procrastinate {version('procrastinate')}",)
