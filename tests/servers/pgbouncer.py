"""pgbouncer in transaction mode before a Postgres on a Unix socket, on a Unix socket itself."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from rag_core.embedded import (
    Seat,
    end,
    find_postgres,
    find_seat,
    log_tail,
    open_log,
    remove_socket_folder,
    spawn,
)

PATIENCE_S = 30.0

_PORT = 6432

# Round robin: two transactions of one client hardly ever meet the same session of the server.
_CONFIGURATION = """\
[databases]
* = host={host} port={port} user={user}

[pgbouncer]
listen_addr =
listen_port = {own_port}
unix_socket_dir = {sockets}
unix_socket_mode = 0700
auth_type = any
stats_users = {user}
pool_mode = transaction
server_round_robin = 1
default_pool_size = 8
max_client_conn = 200
"""


class PgBouncer:
    """A pgbouncer that was started; `url` leads through it to the same database."""

    def __init__(self, database_url: str, seat: Seat, log_path: Path) -> None:
        self._target = conninfo_to_dict(database_url)
        self._seat, self._log_path = seat, log_path
        self._process: Process | None = None

    @property
    def url(self) -> str:
        """URL of the database as clients of pgbouncer have it."""
        return self._url(str(self._target["dbname"]))

    async def start(self) -> None:
        """Return once it answers.

        Raises:
            RuntimeError: it ended instead; carries the end of its log.
        """
        file = self._seat.state / "pgbouncer.ini"
        file.write_text(
            _CONFIGURATION.format(
                host=self._target["host"],
                port=self._target.get("port") or 5432,
                user=self._target["user"],
                own_port=_PORT,
                sockets=self._seat.sockets,
            )
        )
        file.chmod(0o644)
        command: list[str | Path] = [*self._seat.prefix, find_pgbouncer() or "pgbouncer", file]
        with open_log(self._log_path) as log:
            self._process = await spawn(
                command,
                cwd=self._seat.state,
                log=log,
                dies_with=signal.SIGTERM,
                uid=self._seat.uid,
                gid=self._seat.gid,
            )
        async with asyncio.timeout(PATIENCE_S):
            while not await self._answers():
                if self._process.returncode is not None:
                    raise RuntimeError(f"pgbouncer did not start:\n{log_tail(self._log_path)}")
                await asyncio.sleep(0.01)

    async def transactions(self) -> int:
        """How many transactions it has handed on to its database."""
        connection = await psycopg.AsyncConnection.connect(self._url("pgbouncer"), autocommit=True)
        async with connection:
            cursor = await connection.execute("SHOW STATS")
            names = [column.name for column in cursor.description or ()]
            rows = [dict(zip(names, row, strict=True)) for row in await cursor.fetchall()]
        mine = [row for row in rows if row["database"] == self._target["dbname"]]
        return sum(int(row["total_xact_count"]) for row in mine)

    async def stop(self) -> None:
        """End it, and every connection through it."""
        if self._process is not None:
            await end(self._process, signal.SIGTERM, patience_s=5.0)

    def _url(self, database: str) -> str:
        sockets = quote(str(self._seat.sockets), safe="/")
        return f"postgresql://{self._target['user']}@/{database}?host={sockets}&port={_PORT}"

    async def _answers(self) -> bool:
        try:
            connection = await psycopg.AsyncConnection.connect(self.url, connect_timeout=5)
        except psycopg.OperationalError:
            return False
        await connection.close()
        return True


def find_pgbouncer() -> str | None:
    """The program, or None where the package `pgbouncer` is not installed."""
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def _seat(home: Path) -> Seat:
    home.mkdir(parents=True, exist_ok=True)
    return find_seat(find_postgres(), home, home)  # it refuses to run as root, as Postgres does


@asynccontextmanager
async def pgbouncer(home: Path, database_url: str) -> AsyncIterator[PgBouncer]:
    """A pgbouncer before the Postgres at `database_url`, for the block's time."""
    seat = _seat(home)
    bouncer = PgBouncer(database_url, seat, home / "pgbouncer.log")
    try:
        await bouncer.start()
        yield bouncer
    finally:
        await bouncer.stop()
        remove_socket_folder(seat.state, owner=os.geteuid() if seat.uid is None else seat.uid)
