"""A Postgres of the drills' own, with the golden notes in it, to be frozen and restarted."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import LiteralString

import psutil
import psycopg
from psycopg import sql

from rag_core.adapters.postgres import Connection
from rag_core.budget import NANO_PER_USD
from rag_core.embedded import PostgresServer, StackHome, ensure_database
from rag_core.migrations import migrate

_OF_A_USER = "user_id = ANY(%(users)s)"
_TABLES: dict[LiteralString, LiteralString] = {
    "embedders": "true",
    "users": "id = ANY(%(users)s)",
    "notes": _OF_A_USER,
    "chunks": _OF_A_USER,
    "chunk_vectors": _OF_A_USER,
    "chunk_words": _OF_A_USER,
    "vectors_beside": _OF_A_USER,
    "vectors_covered": _OF_A_USER,
}
"""What the notes of users are in, each before those that refer to it, and which rows of it."""
_PATIENCE_S = 15.0


@dataclass(frozen=True, slots=True)
class Books:
    """What Postgres says was spent: US dollars by provider, and on the dearest day."""

    by_provider: Mapping[str, float]
    most_a_day_usd: float


class OwnPostgres:
    """A running server, and what may be done to it."""

    def __init__(self, server: PostgresServer, url: str) -> None:
        self._server, self.url = server, url
        self._postmaster = _postmaster(url)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Within the block every process of the server stands still: it is there, but mute."""
        self._send(signal.SIGSTOP)
        try:
            yield
        finally:
            self._send(signal.SIGCONT)

    async def restart(self) -> None:
        """kill -9, and start again on what its disk holds."""
        self._send(signal.SIGKILL)
        await self._server.wait()
        await self._server.start()
        await ensure_database(self.url, patience_s=_PATIENCE_S)
        self._postmaster = await asyncio.to_thread(_postmaster, self.url)

    async def forget_costs(self) -> None:
        """Empty what was booked, for the next drill."""
        await _execute(self.url, "TRUNCATE api_calls, user_api_costs, ledger_days")

    async def costs(self) -> Books:
        """What is booked now."""
        async with await psycopg.AsyncConnection.connect(self.url) as connection:
            rows = await connection.execute("SELECT provider, day, nano_usd FROM user_api_costs")
            by_provider, by_day = Counter[str](), Counter[date]()
            async for provider, day, nano_usd in rows:
                by_provider[provider] += nano_usd
                by_day[day] += nano_usd
        usd = {name: nano / NANO_PER_USD for name, nano in by_provider.items()}
        return Books(usd, max(by_day.values(), default=0) / NANO_PER_USD)

    def _send(self, number: signal.Signals) -> None:
        """To the postmaster first: it would start children again."""
        processes = [self._postmaster, *self._postmaster.children()]
        for process in processes:
            with suppress(psutil.NoSuchProcess):  # a child that has just ended
                process.send_signal(number)


def _postmaster(url: str) -> psutil.Process:
    with psycopg.connect(url) as connection:
        postmaster = psutil.Process(connection.info.backend_pid).parent()
    assert postmaster is not None
    return postmaster


@asynccontextmanager
async def own_postgres(
    folder: Path, source_url: str, users: Sequence[str]
) -> AsyncIterator[OwnPostgres]:
    """A migrated server in `folder` with the notes that `users` have at `source_url`."""
    server = PostgresServer(StackHome.prepare(folder))
    url = await server.start()
    try:
        await ensure_database(url, patience_s=_PATIENCE_S)
        await asyncio.to_thread(migrate, url)
        await _copy_notes(source_url, url, users)
        await _execute(url, "CHECKPOINT")  # else a restart would replay the copying
        yield OwnPostgres(server, url)
    finally:
        await server.stop()


async def _execute(url: str, statement: LiteralString) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(statement)


async def _copy_notes(source_url: str, target_url: str, users: Sequence[str]) -> None:
    """Copied with their vectors, so that nothing is embedded again."""
    async with (
        await psycopg.AsyncConnection.connect(source_url) as source,
        await psycopg.AsyncConnection.connect(target_url) as target,
    ):
        for table, which in _TABLES.items():
            await _copy_table(source, target, table, which, users)


async def _copy_table(
    source: Connection, target: Connection, table: str, which: LiteralString, users: Sequence[str]
) -> None:
    columns = await _columns(source, table)
    names = {"columns": columns, "table": sql.Identifier(table)}
    out = sql.SQL(
        "COPY (SELECT {columns} FROM {table} WHERE {which}) TO STDOUT (FORMAT binary)"
    ).format(**names, which=sql.SQL(which))
    into = sql.SQL("COPY {table} ({columns}) FROM STDIN (FORMAT binary)").format(**names)
    async with (
        source.cursor() as reading,
        target.cursor() as writing,
        reading.copy(out, {"users": list(users)}) as rows,
        writing.copy(into) as copied,
    ):
        async for block in rows:
            await copied.write(block)


async def _columns(source: Connection, table: str) -> sql.Composed:
    """Those that are not computed from others."""
    found = await source.execute(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER'",
        [table],
    )
    return sql.SQL(", ").join(sql.Identifier(row[0]) for row in await found.fetchall())
