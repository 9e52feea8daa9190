"""A statement's rows, and transactions in as few round trips as can be."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from psycopg.pq import TransactionStatus
from psycopg.sql import Literal

from rag_core.adapters.postgres.connection import Connection, Row

INTRANS, INERROR = TransactionStatus.INTRANS, TransactionStatus.INERROR


def local_settings(settings: Mapping[str, str]) -> str:
    """The statement that gives the server these settings until the transaction ends."""
    values = ", ".join(
        f"set_config({Literal(name).as_string()}, {Literal(value).as_string()}, true)"
        for name, value in settings.items()
    )
    return f"SELECT {values}"


async def rows_of(
    connection: Connection,
    statement: str,
    parameters: Sequence[Any] | Mapping[str, Any],
    binary: bool,
    local: str | None,
) -> list[Row]:
    """What the statement gives, after the `local_settings`, if any, which end with it.

    What a pipeline sends before it syncs is one transaction, without a BEGIN and a COMMIT.
    """
    if not local:
        cursor = await connection.execute(statement, parameters, binary=binary)
        return await cursor.fetchall()
    async with connection.pipeline():
        await connection.execute(local)
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
