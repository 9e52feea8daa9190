"""The database `rag` with pgvector in it, made once however many processes ask at once."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from rag_core.errors import EmbeddedServerError

if TYPE_CHECKING:
    from psycopg import AsyncConnection

# Any constant will do, as long as every process uses this one.
_ADVISORY_LOCK = 0x7261_675F_636F_7265  # "rag_core"


async def ensure_database(database_url: str, *, patience_s: float) -> None:
    """Make sure that the URL's database exists and has the `vector` extension.

    A refused connection is tried again: a server killed this moment is on its way back.

    Raises:
        EmbeddedServerError: no connection within `patience_s`.
    """
    import psycopg  # the supervisor imports this package too, and starts sooner without

    give_up_at = time.monotonic() + patience_s
    while True:
        try:
            return await _prepare(database_url)
        except psycopg.OperationalError as error:
            if time.monotonic() > give_up_at:
                raise EmbeddedServerError(
                    f"the embedded Postgres does not accept connections ({error})",
                    "See postgres.log in its home",
                ) from error
        await asyncio.sleep(0.05)


async def _prepare(database_url: str) -> None:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict, make_conninfo
    from psycopg.sql import SQL, Identifier

    name = str(conninfo_to_dict(database_url)["dbname"])
    maintenance = make_conninfo(database_url, dbname="postgres")
    async with await psycopg.AsyncConnection.connect(maintenance, autocommit=True) as admin:
        if await _exists(admin, name) and await _has_vector(database_url):
            return
        # CREATE … IF NOT EXISTS races between processes. Closing the connection unlocks.
        await admin.execute("SELECT pg_advisory_lock(%s)", [_ADVISORY_LOCK])
        if not await _exists(admin, name):
            await admin.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as inside:
            await inside.execute("CREATE EXTENSION IF NOT EXISTS vector")


async def _exists(admin: AsyncConnection, name: str) -> bool:
    found = await admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
    return await found.fetchone() is not None


async def _has_vector(database_url: str) -> bool:
    import psycopg

    async with await psycopg.AsyncConnection.connect(database_url) as inside:
        found = await inside.execute("SELECT 1 FROM pg_extension WHERE extname = 'vector'")
        return await found.fetchone() is not None
