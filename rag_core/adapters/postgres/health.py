"""Whether a Postgres is as it should be: reached, with pgvector, migrated, and ours to write."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import psycopg

from rag_core.domain.findings import Finding, fail, ok, warn
from rag_core.domain.server_url import target, without_secrets
from rag_core.errors import DatabaseUnavailable

Connection = psycopg.AsyncConnection[tuple[Any, ...]]

CONNECT_TIMEOUT_S = 2
"""The least that libpq allows."""

OLDEST_PGVECTOR = (0, 8)
"""The first whose HNSW search goes on until a filter has let enough through."""

_MIGRATE = "Run: python -m rag_core migrate"
_SETTING = "RAG_DATABASE_URL"
_FIX = "Set RAG_DATABASE_PREPARE=false, or max_prepared_statements in pgbouncer 1.21 or newer"

_FACTS = """
SELECT current_setting('server_version'), pg_backend_pid(), current_user,
    pg_is_in_recovery() OR current_setting('transaction_read_only')::bool,
    (SELECT extversion FROM pg_extension WHERE extname = 'vector'),
    EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector'),
    to_regclass('alembic_version') IS NOT NULL,
    coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)
"""

# Ours are the tables whose key begins with the user's id, and those that say who users are.
_MISSING_PRIVILEGES = """
SELECT privilege || ' on ' || relname
FROM pg_class CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege
WHERE relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('alembic_version'))
    AND relkind IN ('r', 'p')
    AND NOT has_table_privilege(pg_class.oid, privilege)
    AND (relname IN ('users', 'api_keys', 'embedders') OR EXISTS (
        SELECT FROM pg_index
        JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
        WHERE indrelid = pg_class.oid AND indisprimary AND attname = 'user_id'))
ORDER BY relname, privilege
"""


@dataclass(frozen=True, slots=True)
class _Facts:
    version: str
    backend_pid: int
    role: str
    read_only: bool
    pgvector: str | None
    has_pgvector: bool
    is_migrated: bool
    may_create: bool


async def examine(url: str, *, newest_revision: str, prepares: bool) -> list[Finding]:
    """Everything that a first look can tell of the database at `url`, by a connection of its own.

    Args:
        prepares: whether the pipeline uses prepared statements.

    Raises:
        DatabaseUnavailable: it cannot be reached; says why, without secrets.
    """
    began = time.perf_counter()
    async with _connected(url) as connection:
        row = await (await connection.execute(_FACTS)).fetchone()
        assert row is not None  # a SELECT without FROM has one row
        facts = _Facts(*row)
        took_ms = 1000 * (time.perf_counter() - began)
        findings = [*_of_server(facts, f"{target(url)} as {facts.role}, {took_ms:.0f} ms")]
        findings.append(_of_pgvector(facts))
        if not facts.is_migrated:
            findings.append(_not_migrated(facts))
        else:
            findings += await _of_schema(connection, newest_revision)
        pooled = connection.info.backend_pid != facts.backend_pid
    if pooled:
        findings.append(await _of_pooler(url, prepares))
    return findings


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Connection]:
    try:
        connection: Connection = await psycopg.AsyncConnection.connect(
            url, connect_timeout=CONNECT_TIMEOUT_S, autocommit=True, prepare_threshold=None
        )
        async with connection:
            yield connection
    except psycopg.Error as error:
        reason = without_secrets(str(error).strip().partition("\n")[0], url)
        raise DatabaseUnavailable(
            f"Postgres at {target(url)} cannot be used: {reason}", _fix_of(reason)
        ) from error


def _fix_of(reason: str) -> str:
    if "password" in reason or "authentication" in reason or "role" in reason:
        return f"Check the user and the password in {_SETTING}"
    if "database" in reason and "does not exist" in reason:
        return f"Create the database, or check its name in {_SETTING}"
    if "resolve" in reason:
        return f"Check the host in {_SETTING}"
    return f"Check host and port in {_SETTING}, and that Postgres is running there"


def _of_server(facts: _Facts, place: str) -> Iterator[Finding]:
    yield ok("database", f"Postgres {facts.version.partition(' ')[0]} at {place}")
    if facts.read_only:
        yield fail("database", "takes no writes: a replica, or read-only", "Name the primary")


def _of_pgvector(facts: _Facts) -> Finding:
    if facts.pgvector is None:
        how = (
            f"{_MIGRATE}, as a role that may create extensions"
            if facts.has_pgvector
            else "Install pgvector on the server, then migrate"
        )
        return fail("pgvector", "is not in this database", how)
    version = tuple(map(int, facts.pgvector.split(".")[:2]))
    if version < OLDEST_PGVECTOR:
        return warn("pgvector", f"is {facts.pgvector}; search by hnsw needs 0.8", "Upgrade it")
    return ok("pgvector", facts.pgvector)


def _not_migrated(facts: _Facts) -> Finding:
    able = "" if facts.may_create else f", as a role that may create tables ({facts.role} may not)"
    return fail("schema", "the database has no rag_core tables yet", _MIGRATE + able)


async def _of_schema(connection: Connection, newest: str) -> list[Finding]:
    try:
        row = await (await connection.execute("SELECT version_num FROM alembic_version")).fetchone()
    except psycopg.errors.InsufficientPrivilege:
        return [fail("schema", "may not be read", "GRANT SELECT ON alembic_version to the role")]
    revision = row[0] if row else "nothing"
    rows = await (await connection.execute(_MISSING_PRIVILEGES)).fetchall()
    return [_of_revision(revision, newest), _of_privileges([name for (name,) in rows])]


def _of_revision(revision: str, newest: str) -> Finding:
    if revision == newest:
        return ok("schema", f"revision {revision}")
    if revision > newest:
        return fail(
            "schema", f"is at {revision}, newer than this rag_core's {newest}", "Upgrade rag_core"
        )
    return fail("schema", f"is at {revision}, but {newest} is needed", _MIGRATE)


def _of_privileges(missing: list[str]) -> Finding:
    if missing:
        return fail("privileges", f"the role lacks {', '.join(missing)}", "GRANT them to it")
    return ok("privileges", "may read and write every table")


async def _of_pooler(url: str, prepares: bool) -> Finding:
    """What stands between answers with process ids of its own."""
    if not prepares:
        return ok("pooler", "pgbouncer or its like stands between; nothing is prepared")
    match await _statements_stay_prepared(url):
        case True:
            return ok("pooler", "pgbouncer or its like stands between; prepared statements work")
        case False:
            return fail(
                "pooler", "pgbouncer or its like stands between and loses prepared statements", _FIX
            )
    return warn(
        "pooler", "pgbouncer or its like stands between; its connections were all taken", _FIX
    )


async def _statements_stay_prepared(url: str) -> bool | None:
    """Whether a statement is known after its client was given another server connection.

    None: it was given none.
    """
    asked = f"SELECT '{uuid4().hex}'"
    async with _connected(url) as first, _connected(url) as second:
        first.prepare_threshold = second.prepare_threshold = 0
        await first.execute(asked)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S / 4), second.transaction():
                # Poolers give what was used last: the one on which `first` prepared.
                await second.execute("SELECT 1", prepare=False)
                again = await first.execute(asked)
                return await again.fetchone() == (asked[8:-1],)
        except psycopg.Error:
            return False
        except TimeoutError:
            return None
        finally:
            if not first.closed:
                await first.execute("DEALLOCATE ALL", prepare=False)
