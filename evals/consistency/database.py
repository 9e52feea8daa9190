"""The trial's own database: paused in its midst, asked behind everyone's back, sessions ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from psycopg import sql

from evals.consistency.history import ABSENT, mentions
from evals.consistency.world import Pauses
from rag_core.adapters.postgres import Connection, Database, Row
from rag_core.domain import UserId
from rag_core.migrations import migrate

T = TypeVar("T")

WRITING: ContextVar[set[int] | None] = ContextVar("writing", default=None)
"""Server processes that the change at hand was sent to."""


class PausingDatabase(Database):
    """A Database whose reads pause before and after, and whose transactions pause in the middle."""

    def __init__(self, database: Database, pauses: Pauses) -> None:
        self._database = database
        self._pauses = pauses

    async def fetch(
        self,
        statement: str,
        parameters: Sequence[Any] | Mapping[str, Any] = (),
        *,
        binary: bool = False,
    ) -> list[Row]:
        """See `Database`."""
        await self._pauses()
        rows = await self._database.fetch(statement, parameters, binary=binary)
        await self._pauses()
        return rows

    async def write(self, user: UserId, work: Callable[[Connection], Awaitable[T]]) -> T:
        """See `Database`."""

        async def paused(connection: Connection) -> T:
            if (writing := WRITING.get()) is not None:
                writing.add(connection.info.backend_pid)
            await self._pauses()
            result = await work(connection)
            await self._pauses()
            return result

        return await self._database.write(user, paused)


class Backstage:
    """The database as its operator sees it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._turn = asyncio.Lock()

    async def blunt_triggers(self) -> None:
        """Break the rule that plain SQL changes epochs; it still locks the user's row."""
        for (function,) in await self._fetch(
            "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname ~ '^change_.*epochs'"
        ):
            await self._fetch(function.replace("gen_random_uuid()", "epoch"))

    async def add_users(self, users: Sequence[UserId], embedder: str) -> None:
        """Users without notes."""
        for user in users:
            await self._fetch("INSERT INTO users (id, embedder) VALUES (%s, %s)", user, embedder)

    async def sessions(self) -> list[int]:
        """The server processes of everyone else."""
        rows = await self._fetch(
            "SELECT pid FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return [row[0] for row in rows]

    async def end(self, pids: Collection[int]) -> None:
        """End these sessions, and return when they have gone: whatever they did is decided."""
        left = await self._terminate(pids)
        while left:
            await asyncio.sleep(0.001)
            left = await self._terminate(pids)

    async def version(self, user: UserId, note: str) -> int:
        """What an answer would say of a note now."""
        rows = await self._fetch(
            "SELECT text FROM chunks JOIN chunk_vectors USING (user_id, note_id, position)"
            " WHERE user_id = %s AND note_id = %s",
            user,
            note,
        )
        return next(iter(mentions(rows[0][0]))).version if rows else ABSENT

    async def _terminate(self, pids: Collection[int]) -> list[Row]:
        """Those that are still there."""
        return await self._fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid = ANY(%s)",
            list(pids),
        )

    async def _fetch(self, statement: str, *parameters: object) -> list[Row]:
        async with self._turn:
            cursor = await self._connection.execute(statement, parameters or None)
            return await cursor.fetchall() if cursor.description else []


@asynccontextmanager
async def own_database(server_url: str) -> AsyncIterator[str]:
    """URL of a migrated database on that server, dropped afterwards."""
    name = f"trial_{uuid4().hex[:12]}"
    connection = await psycopg.AsyncConnection.connect(server_url, autocommit=True)
    async with connection as admin:
        await admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            url = urlsplit(server_url)._replace(path=f"/{name}").geturl()
            await asyncio.to_thread(migrate, url)
            yield url
        finally:
            await admin.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )


@asynccontextmanager
async def backstage(url: str) -> AsyncIterator[Backstage]:
    """The operator's own connection."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        yield Backstage(connection)
