"""Transactions in as few round trips as can be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from psycopg.pq import TransactionStatus

from rag_core.adapters.postgres.connection import Connection

INTRANS, INERROR = TransactionStatus.INTRANS, TransactionStatus.INERROR


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
