"""A statement's rows, and transactions in as few round trips as can be."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from psycopg.pq import TransactionStatus

from rag_core.adapters.postgres.connection import Connection, Row

_SET = "SELECT set_config(name, value, true) FROM unnest(%s::text[], %s::text[]) AS s (name, value)"
INTRANS, INERROR = TransactionStatus.INTRANS, TransactionStatus.INERROR


async def rows_of(
    connection: Connection,
    statement: str,
    parameters: Sequence[Any] | Mapping[str, Any],
    binary: bool,
    local: Mapping[str, str] | None,
) -> list[Row]:
    """What the statement gives; with `local` settings of the server, in a transaction."""
    if not local:
        cursor = await connection.execute(statement, parameters, binary=binary)
        return await cursor.fetchall()
    async with transaction(connection):
        await connection.execute(_SET, (list(local), list(local.values())))
        cursor = await connection.execute(statement, parameters, binary=binary)
    return await cursor.fetchall()


@asynccontextmanager
async def transaction(connection: Connection) -> AsyncIterator[None]:
    """A transaction in pipeline mode: what is executed waits for no reply until one is fetched.

    psycopg's own `transaction()` within a pipeline waits four times.
    """
    try:
        async with connection.pipeline():
            await connection.execute("BEGIN")
            yield
            await connection.execute("COMMIT")
    finally:
        if connection.info.transaction_status in (INTRANS, INERROR):
            await connection.rollback()
