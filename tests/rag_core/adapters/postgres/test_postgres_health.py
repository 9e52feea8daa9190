"""What a first look at a database tells, over a real one in every state that it can be in."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from rag_core.adapters.postgres import health
from rag_core.cli.doctor import newest_revision
from rag_core.domain import Finding, Level
from rag_core.embedded import StackUrls
from rag_core.errors import DatabaseUnavailable
from rag_core.migrations import migrate
from rag_core.migrations import newest_revision as migrated_to
from tests.rag_core.adapters.postgres.pooler import find_pgbouncer, pgbouncer, relay


async def look(url: str, newest: str = "", *, prepares: bool = True) -> dict[str, Finding]:
    """The worst finding of each part."""
    found = await health.examine(
        url, newest_revision=newest or newest_revision(), prepares=prepares
    )
    order = [Level.FAIL, Level.WARN, Level.OK]
    return {each.part: each for each in sorted(found, key=lambda f: -order.index(f.level))}


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a name so short that sockets fit below it."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


def test_the_newest_revision_is_known_without_alembic() -> None:
    assert newest_revision() == migrated_to()


async def test_a_migrated_database_is_well(database_url: str) -> None:
    found = await look(database_url)
    assert {part: each.level for part, each in found.items()} == dict.fromkeys(
        ("database", "pgvector", "schema", "privileges"), Level.OK
    )
    assert "as postgres" in found["database"].text


async def test_an_empty_database_is_to_be_migrated(empty_database: str) -> None:
    found = await look(empty_database)
    assert found["pgvector"].level is found["schema"].level is Level.FAIL
    assert "rag_core migrate" in found["schema"].fix
    await asyncio.to_thread(migrate, empty_database)
    assert {each.level for each in (await look(empty_database)).values()} == {Level.OK}


@pytest.mark.parametrize(
    ("newest", "fix"), [("9999", "rag_core migrate"), ("0000", "Upgrade rag_core")]
)
async def test_another_revision_says_which_side_is_behind(
    database_url: str, newest: str, fix: str
) -> None:
    found = (await look(database_url, newest))["schema"]
    assert (found.level, newest in found.text, fix in found.fix) == (Level.FAIL, True, True)


@asynccontextmanager
async def role(stack: StackUrls, database_url: str, *rights: str) -> AsyncIterator[str]:
    """URL for a role of the test's own, with these rights in the database."""
    name = f"role_{uuid4().hex[:12]}"
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as admin:
        await admin.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
        for right in rights:
            await admin.execute(
                sql.SQL("GRANT {} TO {}").format(sql.SQL(right), sql.Identifier(name))  # type: ignore[arg-type] # literals below
            )
        try:
            yield database_url.replace("postgresql://postgres@", f"postgresql://{name}@")
        finally:
            await admin.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(name)))
            await admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


async def test_a_role_that_may_only_read_is_told_what_it_lacks(
    stack: StackUrls, own_database: str
) -> None:
    async with role(stack, own_database, "SELECT ON ALL TABLES IN SCHEMA public") as url:
        found = (await look(url))["privileges"]
    assert found.level is Level.FAIL
    assert "INSERT on notes" in found.text
    assert "SELECT" not in found.text


async def test_a_role_that_may_not_even_look_is_told(stack: StackUrls, own_database: str) -> None:
    async with role(stack, own_database) as url:
        found = (await look(url))["schema"]
    assert (found.level, "GRANT SELECT" in found.fix) == (Level.FAIL, True)


async def test_a_role_that_may_make_no_tables_is_told_beside_the_migration(
    stack: StackUrls, empty_database: str
) -> None:
    async with role(stack, empty_database) as url:
        assert "may create tables" in (await look(url))["schema"].fix


async def test_a_database_that_takes_no_writes_is_told(stack: StackUrls, own_database: str) -> None:
    found = await look(f"{own_database}&options=-cdefault_transaction_read_only%3Don")
    assert found["database"].level is Level.FAIL
    assert "no writes" in found["database"].text


@pytest.fixture
def locked_role(database_url: str) -> Iterator[str]:
    """Name of a role whose password the server asks for."""
    name = f"locked_{uuid4().hex[:12]}"
    with psycopg.connect(database_url, autocommit=True) as admin:
        (path,) = admin.execute("SHOW hba_file").fetchone() or ("",)
        rules = Path(path).read_text()
        Path(path).write_text(f"local all {name} scram-sha-256\n{rules}")
        admin.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'r1ght-0ne'").format(sql.Identifier(name))
        )
        admin.execute("SELECT pg_reload_conf()")
        while _lets_in(database_url.replace("postgres@", f"{name}@", 1)):
            pass  # the postmaster reads its rules when it comes to it
        yield name
        Path(path).write_text(rules)
        admin.execute("SELECT pg_reload_conf()")
        admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def _lets_in(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


async def test_a_wrong_password_is_told_and_not_shown(database_url: str, locked_role: str) -> None:
    right = database_url.replace("postgres@", f"{locked_role}:r1ght-0ne@", 1)
    await look(right)
    with pytest.raises(DatabaseUnavailable, match="password authentication failed") as raised:
        await look(right.replace("r1ght-0ne", "wr0ng-0ne"))
    assert "password" in raised.value.fix
    assert "wr0ng" not in str(raised.value)


@pytest.mark.parametrize(
    ("change", "fix"),
    [
        (("/rag?", "/no_such_database?"), "Create the database"),
        (("host=", "host=/nowhere&x-host="), "is running there"),
    ],
)
async def test_what_cannot_be_reached_is_told_with_the_fix(
    database_url: str, change: tuple[str, str], fix: str
) -> None:
    url = database_url.replace(*change).replace("x-host=", "application_name=")
    with pytest.raises(DatabaseUnavailable, match=fix):
        await look(url)


async def test_nothing_listens(unused_tcp_port: int) -> None:
    with pytest.raises(DatabaseUnavailable, match="refused") as raised:
        await look(f"postgresql://rag:secret@127.0.0.1:{unused_tcp_port}/rag")
    assert str(unused_tcp_port) in str(raised.value)


async def test_a_pooler_is_noticed_by_its_process_ids(database_url: str, short: Path) -> None:
    async with relay(database_url, short) as url:
        found = (await look(url))["pooler"]
        assert (found.level, "prepared statements work" in found.text) == (Level.OK, True)
        assert "nothing is prepared" in (await look(url, prepares=False))["pooler"].text
    assert "pooler" not in await look(database_url)


@pytest.mark.skipif(not find_pgbouncer(), reason="no pgbouncer here; RAG_TEST_PGBOUNCER names one")
async def test_pgbouncer_that_loses_prepared_statements_is_told(
    database_url: str, short: Path
) -> None:
    async with pgbouncer(find_pgbouncer() or "", database_url, short) as url:
        found = (await look(url))["pooler"]
        assert (found.level, "RAG_DATABASE_PREPARE=false" in found.fix) == (Level.FAIL, True)
        assert (await look(url, prepares=False))["pooler"].level is Level.OK
