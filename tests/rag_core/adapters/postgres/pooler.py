"""What stands between a client and Postgres: a relay with process ids of its own, or pgbouncer."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from tests.rag_core.embedded.processes import eventually

_ANOTHER_PID = (77_777).to_bytes(4, "big")


@asynccontextmanager
async def relay(database_url: str, folder: Path) -> AsyncIterator[str]:
    """URL of a relay before the embedded Postgres that tells clients a pid of its own."""
    behind = f"{conninfo_to_dict(database_url)['host']}/.s.PGSQL.5432"

    async def host(client: StreamReader, to_client: StreamWriter) -> None:
        server, to_server = await asyncio.open_unix_connection(behind)
        async with asyncio.TaskGroup() as both:
            both.create_task(_copy(client, to_server))
            both.create_task(_answer(server, to_client))

    listener = await asyncio.start_unix_server(host, folder / ".s.PGSQL.5432")
    try:
        yield f"{database_url.partition('?')[0]}?host={folder}"
    finally:
        listener.close()


async def _answer(server: StreamReader, to_client: StreamWriter) -> None:
    """Relay messages as they are, but for the one that names the server's process."""
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        kind = b""
        while kind != b"K":
            kind, size = await server.readexactly(1), await server.readexactly(4)
            body = await server.readexactly(int.from_bytes(size, "big") - 4)
            to_client.write(kind + size + (_ANOTHER_PID + body[4:] if kind == b"K" else body))
    await _copy(server, to_client)


async def _copy(source: StreamReader, sink: StreamWriter) -> None:
    with suppress(ConnectionError):
        while piece := await source.read(65_536):
            sink.write(piece)
            await sink.drain()
    sink.close()


def find_pgbouncer() -> str | None:
    """The program, where RAG_TEST_PGBOUNCER or PATH names one."""
    return os.environ.get("RAG_TEST_PGBOUNCER") or shutil.which("pgbouncer")


@asynccontextmanager
async def pgbouncer(program: str, database_url: str, folder: Path) -> AsyncIterator[str]:
    """URL of a pgbouncer in transaction mode before the embedded Postgres."""
    address = conninfo_to_dict(database_url)
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        "[databases]\n"
        f"{address['dbname']} = host={address['host']} user={address['user']}\n"
        "[pgbouncer]\n"
        f"listen_port = 6432\nunix_socket_dir = {folder}\nauth_type = any\n"
        "pool_mode = transaction\ndefault_pool_size = 5\n"
    )
    # It refuses to run as root.
    aside = ["unshare", "--user", "--map-user=65534", "--"] if os.geteuid() == 0 else []
    process = await asyncio.create_subprocess_exec(
        *(*aside, program, "-q", str(settings)), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await eventually((folder / ".s.PGSQL.6432").exists)
        yield f"{database_url.partition('?')[0]}?host={folder}&port=6432"
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()
