"""Users' epochs, as the transactions that change notes set them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rag_core.adapters.postgres.pool import Pool, translated
from rag_core.cache.epochs import Epoch
from rag_core.user import UserId

_EPOCH = "SELECT epoch::text FROM users WHERE id = %s"
# The lock that a change of the user's notes holds exclusively until it is committed.
_TRY_LOCK = "SELECT pg_try_advisory_xact_lock_shared(hashtextextended(%s, 0))"


class PostgresEpochs:
    """EpochSource over the table `users`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def epoch(self, user: UserId) -> Epoch | None:
        """See `rag_core.cache.epochs.EpochSource`."""
        with translated():
            async with self._pool.connection() as connection:
                found = await connection.execute(_EPOCH, (user,), prepare=True)
                row = await found.fetchone()
                return Epoch(row[0]) if row else None

    @asynccontextmanager
    async def hold(self, user: UserId) -> AsyncIterator[Epoch | None]:
        """See `rag_core.cache.epochs.EpochSource`; never waits for a writer."""
        with translated():
            async with self._pool.connection() as connection, connection.transaction():
                # Two statements: the second must see what was committed before the lock was had.
                found = await connection.execute(_TRY_LOCK, (user,), prepare=True)
                if await found.fetchone() != (True,):
                    yield None
                    return
                found = await connection.execute(_EPOCH, (user,), prepare=True)
                row = await found.fetchone()
                yield Epoch(row[0]) if row else None
