"""Migrations: what they build, and that running them again or at once does no harm."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import psycopg
import pytest

from rag_core.errors import ConfigurationError, DatabaseUnavailable
from rag_core.migrations import migrate
from tests.rag_core.library import connected


def test_migrate_returns_the_revision_and_a_second_run_changes_nothing(
    empty_database: str,
) -> None:
    assert migrate(empty_database) == "0001"
    with connected(empty_database) as connection:
        connection.execute("INSERT INTO users (id) VALUES ('kept')")
    assert migrate(empty_database) == "0001"
    with connected(empty_database) as connection:
        assert connection.execute("SELECT id FROM users").fetchall() == [("kept",)]


async def test_eight_processes_may_migrate_at_once(empty_database: str) -> None:
    program = "import sys; from rag_core.migrations import migrate; print(migrate(sys.argv[1]))"
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", program, empty_database),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(8)
    ]
    outputs = await asyncio.gather(*(process.communicate() for process in processes))
    assert [process.returncode for process in processes] == [0] * 8, outputs
    assert {stdout for stdout, _ in outputs} == {b"0001\n"}


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


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:5432",
        "mysql://someone:secret-word@host/db",
        "postgresql://someone:secret-word@host:not-a-port/db",
        "postgresql://someone:secret-word@127.0.0.1:1/db?nonsense=1",
    ],
)
def test_a_bad_url_names_the_setting_and_keeps_the_secret(url: str) -> None:
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
            " AND relname NOT IN ('alembic_version', 'users')"
        ).fetchall()
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            " AND tablename NOT IN ('alembic_version', 'users')"
        ).fetchall()
    assert {table for table, _ in leading} == {table for (table,) in tables}
    assert {"notes", "note_chunks"} <= {table for table, _ in leading}
    assert {column for _, column in leading} == {"user_id"}


def test_vectors_stand_in_the_row_under_an_hnsw_cosine_index(database_url: str) -> None:
    with connected(database_url) as connection:
        column = connection.execute(
            "SELECT format_type(atttypid, atttypmod), attstorage FROM pg_attribute"
            " WHERE attrelid = 'note_chunks'::regclass AND attname = 'embedding'"
        ).fetchone()
        (definition,) = connection.execute(
            "SELECT indexdef FROM pg_indexes WHERE indexname = 'note_chunks_embedding_hnsw'"
        ).fetchone() or ("",)
    assert column == ("vector(384)", "p")
    assert "USING hnsw (embedding vector_cosine_ops)" in definition
    assert "m='16'" in definition
    assert "ef_construction='64'" in definition


def test_a_chunk_without_its_note_is_refused(database_url: str) -> None:
    with (
        connected(database_url) as connection,
        pytest.raises(psycopg.errors.ForeignKeyViolation),
    ):
        connection.execute(
            "INSERT INTO note_chunks VALUES"
            " ('nobody', 'no note', 0, 0, 1, 'x', '', 'x', array_fill(0.1, '{384}')::vector)"
        )
