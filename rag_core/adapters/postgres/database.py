"""Postgres as the adapters use it: bounded reads and writes, in as few round trips as can be."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal, TypeVar
from weakref import WeakValueDictionary

import psycopg
from pgvector.psycopg import register_vector_async
from psycopg import errors
from psycopg_pool import AsyncConnectionPool

from rag_core.adapters.postgres.connection import (
    CONNECT_TIMEOUT_S,
    Connection,
    HungUpAt,
    Row,
    connection_options,
)
from rag_core.adapters.postgres.failures import check_database, translated
from rag_core.adapters.postgres.line import Line
from rag_core.adapters.postgres.read_guard import ReadGuard
from rag_core.adapters.postgres.transaction import transaction
from rag_core.domain.user import UserId
from rag_core.events import Listener, PoolWaited, ignore
from rag_core.guard.breaker import Breaker
from rag_core.guard.deadline import seconds_left

T = TypeVar("T")
Pool = AsyncConnectionPool[Connection]

LOCK_TIMEOUT_MS = 200
"""How long a writer holds a connection while another process changes the same user's notes."""

_RETRY_PAUSE_S = 0.02

_LIMITS = """
SELECT set_config('statement_timeout', %s, true),
       set_config('idle_in_transaction_session_timeout', %s, true),
       set_config('lock_timeout', %s, true)
"""

_OTHERS_WON = (errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure)


class _LostBeforeCommit(psycopg.OperationalError):
    """The connection was lost and the transaction with it: it can be tried again."""


class Database:
    """Two pools of connections, one to read and a smaller one to write.

    Nobody waits without a limit: for a connection, a lock or a reply, even of a frozen server.
    Nothing is kept in a session, so that pgbouncer may share them out by transaction.
    """

    def __init__(
        self,
        url: str,
        reads: Pool,
        writes: Pool,
        *,
        read_timeout_s: float,
        write_timeout_s: float,
        prepare: bool,
        breaker: Breaker | None = None,
        listener: Listener = ignore,
    ) -> None:
        self._url, self._listener = url, listener
        self.guard = ReadGuard(breaker, read_timeout_s)
        self._reads, self._writes = reads, writes
        self.read_timeout_s, self._write_timeout_s = read_timeout_s, write_timeout_s
        self._prepare = prepare
        self._turns: WeakValueDictionary[UserId, asyncio.Lock] = WeakValueDictionary()

    async def fetch(
        self,
        statement: str,
        parameters: Sequence[Any] | Mapping[str, Any] = (),
        *,
        binary: bool = False,
    ) -> list[Row]:
        """The rows of one statement that only reads, in one round trip.

        A connection that turns out to be lost costs a second attempt, on a new one.

        Raises:
            DatabaseUnavailable: no reply within the time for reads, or the request's deadline; or
                there was none of late, and nobody is kept waiting.
        """
        given_s = seconds_left(self.read_timeout_s)
        until = time.monotonic() + given_s
        async with self.guard.read(given_s):
            return await self._fetched("read", until, statement, parameters, binary)

    async def write_one(self, statement: str, parameters: Mapping[str, Any]) -> list[Row]:
        """The rows of one statement that changes all of something or nothing, in one round trip.

        It may be run twice, where the connection is lost, and must do nothing the second time.

        Raises:
            DatabaseUnavailable: no reply in the time for writes, or the request's deadline; it is
                not known whether it was done.
        """
        until = time.monotonic() + seconds_left(self._write_timeout_s)
        return await self._fetched("write", until, statement, parameters, binary=False)

    async def _fetched(
        self,
        purpose: Literal["read", "write"],
        until: float,
        statement: str,
        parameters: Sequence[Any] | Mapping[str, Any],
        binary: bool,
    ) -> list[Row]:
        pool = self._reads if purpose == "read" else self._writes
        with translated(self._url):
            for last in (False, True):
                began = time.monotonic()
                connection = await pool.getconn(until - began)
                self._waited(purpose, began)
                try:
                    with HungUpAt(connection, until):
                        cursor = await connection.execute(statement, parameters, binary=binary)
                        return await cursor.fetchall()
                except psycopg.OperationalError:
                    if last or not connection.closed or time.monotonic() >= until:
                        raise
                finally:
                    await pool.putconn(connection)
                await pool.drain()  # those beside it were probably lost, too
        raise AssertionError("the second attempt returns or raises")

    async def open_line(self, statement: str) -> Line:
        """A connection for one statement alone; see `Line`. Whoever opens it closes it.

        Raises:
            DatabaseUnavailable: no connection within the time for reads.
        """
        with translated(self._url):
            connection: Connection = await psycopg.AsyncConnection.connect(
                self._url, **connection_options(self._prepare)
            )
            line = Line(connection, statement, prepare=self._prepare)
            try:
                with HungUpAt(connection, time.monotonic() + self.read_timeout_s):
                    await line.open()
            except BaseException:  # a request that is cancelled meanwhile leaves none open, either
                await connection.close()
                raise
        return line

    async def write(self, user: UserId, work: Callable[[Connection], Awaitable[T]]) -> T:
        """What `work` returns, after its transaction that changes the user's notes is committed.

        Writers of one user take turns before they take a connection; where another process is
        first, this one gives its connection back and tries again.

        Args:
            work: may be run several times, each in a transaction of its own, in pipeline mode.

        Raises:
            DatabaseUnavailable: not committed in the time for writes, or the request's deadline;
                or the connection was lost, and it is not known whether it was committed.
        """
        until = time.monotonic() + seconds_left(self._write_timeout_s)
        turn = self._turns.setdefault(user, asyncio.Lock())
        with translated(self._url):
            async with asyncio.timeout(until - time.monotonic()):
                await turn.acquire()
            try:
                return await self._tried(work, until)
            finally:
                turn.release()

    async def _tried(self, work: Callable[[Connection], Awaitable[T]], until: float) -> T:
        """The transaction, tried until it is committed or the time is up."""
        while True:
            try:
                return await self._transact(work, until)
            except (_LostBeforeCommit, *_OTHERS_WON) as error:
                pause_s = _RETRY_PAUSE_S * (1 + random.random())
                if time.monotonic() + pause_s >= until:
                    raise
                if isinstance(error, _LostBeforeCommit):
                    await self._writes.drain()
                await asyncio.sleep(pause_s)

    async def _transact(self, work: Callable[[Connection], Awaitable[T]], until: float) -> T:
        began = time.monotonic()
        async with self._writes.connection(until - began) as connection:
            self._waited("write", began)
            left_ms = str(max(1, int((until - time.monotonic()) * 1000)))
            committing = False
            try:
                with HungUpAt(connection, until):
                    async with transaction(connection):
                        await connection.execute(_LIMITS, (left_ms, left_ms, str(LOCK_TIMEOUT_MS)))
                        result = await work(connection)
                        # Whatever fails, fails here, before the commit is sent. (The pipeline's
                        # own `sync` hangs in psycopg 3.3.9 while much is still to be sent.)
                        await (await connection.execute("SELECT")).fetchall()
                        committing = True
                    return result
            except psycopg.OperationalError as error:
                if connection.closed and not committing:
                    raise _LostBeforeCommit(str(error)) from error
                raise

    def _waited(self, pool: Literal["read", "write"], began: float) -> None:
        self._listener(PoolWaited(pool, (time.monotonic() - began) * 1000))


@asynccontextmanager
async def open_database(
    url: str,
    *,
    read_connections: int = 10,
    write_connections: int = 4,
    read_timeout_s: float = 2.0,
    write_timeout_s: float = 10.0,
    prepare: bool = True,
    breaker: Breaker | None = None,
    listener: Listener = ignore,
) -> AsyncIterator[Database]:
    """A migrated database whose connections speak binary vectors.

    Args:
        prepare: use prepared statements; False behind pgbouncer before 1.21.
        breaker: while it is open, reads fail at once.
        listener: gets a `PoolWaited` for each connection.

    Raises:
        DatabaseUnavailable: no connection within `read_timeout_s`, or 2 s if that is less.
        ConfigurationError: the URL is wrong, or the database has not been migrated yet.
    """
    connect_timeout_s = max(read_timeout_s, CONNECT_TIMEOUT_S)
    await check_database(url, connect_timeout_s)
    reads = _pool(url, read_connections, prepare)
    writes = _pool(url, write_connections, prepare)
    async with reads, writes:
        with translated(url):
            await reads.wait(connect_timeout_s)
        yield Database(
            url,
            reads,
            writes,
            read_timeout_s=read_timeout_s,
            write_timeout_s=write_timeout_s,
            prepare=prepare,
            breaker=breaker,
            listener=listener,
        )


def _pool(url: str, size: int, prepare: bool) -> Pool:
    async def configure(connection: Connection) -> None:
        with HungUpAt(connection, time.monotonic() + CONNECT_TIMEOUT_S):
            await register_vector_async(connection)

    async def try_again(pool: Pool) -> None:
        """The pool has given up connecting: go on as long as it is open."""
        await asyncio.sleep(0.2)
        if not pool.closed:
            await pool.check()

    return AsyncConnectionPool(
        url,
        min_size=1,
        max_size=size,
        open=False,
        configure=configure,
        reconnect_timeout=0,
        reconnect_failed=try_again,
        kwargs=connection_options(prepare),
    )
