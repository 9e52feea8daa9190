"""Postgres from the wheel's binaries: data that survives crashes, on a private Unix socket."""

from __future__ import annotations

import asyncio
import shutil
import signal
import time
from asyncio.subprocess import Process
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

from rag_core.embedded.binaries import PostgresInstall, find_postgres
from rag_core.embedded.child import end, spawn
from rag_core.embedded.home import StackHome, log_tail, open_log
from rag_core.embedded.unprivileged import Seat, find_seat
from rag_core.errors import EmbeddedServerError

DATABASE = "rag"
SUPERUSER = "postgres"

# For development beside a user's other work: small, but with room for an HNSW build.
# mmap: parallel index builds outgrow the 64 MB /dev/shm of a container.
_CONFIGURATION = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "128MB",
    "maintenance_work_mem": "256MB",
    "max_connections": "100",
    "dynamic_shared_memory_type": "mmap",
}
# A search takes some 100 kB and gives them back. Without this glibc gives them back to the system,
# and the next search pays for new pages: 15 % of its time by the graph, 10,000 chunks.
_ALLOCATOR = {"MALLOC_TRIM_THRESHOLD_": "4194304", "MALLOC_MMAP_THRESHOLD_": "1048576"}
# What a start says while a killed server's last processes are still going away.
_PREDECESSOR = ("lock file", "shared memory block")


class PostgresServer:
    """One Postgres server on the data of a home; implements `Server`."""

    def __init__(
        self,
        home: StackHome,
        *,
        seat_finder: Callable[[PostgresInstall, Path, Path], Seat] = find_seat,
        predecessor_patience_s: float = 15.0,
        ready_patience_s: float = 50.0,
    ) -> None:
        self._home = home
        self._find_seat = seat_finder
        self._predecessor_patience_s = predecessor_patience_s
        self._ready_patience_s = ready_patience_s
        self._process: Process | None = None

    @property
    def is_running(self) -> bool:
        """See `Server`."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> str:
        """Start on existing data, or make it first.

        Returns the URL of the database `rag`, which need not exist yet. A start that fails because
        a killed server is still going away is tried again, for `predecessor_patience_s`.

        Raises:
            EmbeddedServerError: it did not start; with the end of the log.
        """
        seat = self._find_seat(find_postgres(), self._home.postgres, self._home.root)
        if not _has_data(seat):
            await self._create_data(seat)
        give_up_at = time.monotonic() + self._predecessor_patience_s
        while (failure := await self._attempt(seat)) is not None:
            awaits_predecessor = any(word in failure for word in _PREDECESSOR)
            if not awaits_predecessor or time.monotonic() > give_up_at:
                raise self._error("Postgres did not start", failure)
            await self._end_predecessor(seat)
            await asyncio.sleep(0.1)
        return database_url(seat.sockets)

    async def wait(self) -> None:
        """See `Server`."""
        if self._process is not None:
            await self._process.wait()

    async def stop(self) -> None:
        """Shut down fast (disconnect clients, checkpoint), then ever more firmly."""
        if self._process is not None:
            await end(self._process, signal.SIGINT, signal.SIGQUIT, patience_s=10.0)

    async def _attempt(self, seat: Seat) -> str | None:
        """Start once; None when the server is ready, else what it wrote before it ended."""
        written = _size(self._home.postgres_log)
        settings = _CONFIGURATION | {"unix_socket_directories": _quoted(seat.sockets)}
        options = [word for item in settings.items() for word in ("-c", "=".join(item))]
        data = seat.state / "data"
        process = self._process = await self._run(
            seat, "postgres", "-D", data, *options, dies_with=signal.SIGINT
        )
        give_up_at = time.monotonic() + self._ready_patience_s
        while process.returncode is None:
            if _is_ready(data, process.pid):
                return None
            if time.monotonic() > give_up_at:
                await self.stop()
                break
            await asyncio.sleep(0.01)
        return log_tail(self._home.postgres_log, since=written)

    async def _create_data(self, seat: Seat) -> None:
        """Run initdb aside and rename the result: an interrupted one would look complete."""
        _remove_unfinished(seat.state)
        unfinished = seat.state / f"unfinished-{uuid4().hex}"
        options = ["--username", SUPERUSER, "--locale=C", "--encoding=UTF8"]
        # The socket's folder lets only us in, so the socket itself need not ask.
        options += ["--auth-local=trust", "--auth-host=reject"]
        initdb = await self._run(
            seat, "initdb", "-D", unfinished, *options, dies_with=signal.SIGKILL
        )
        if await initdb.wait() != 0:
            tail = log_tail(self._home.postgres_log)
            raise self._error("initdb could not create a database", tail)
        unfinished.rename(seat.state / "data")

    async def _end_predecessor(self, seat: Seat) -> None:
        """Stop a server that still answers although the supervisor that owned it is dead.

        Asks the socket and not the pid file: that one may name another process by now.
        """
        asked = await self._run(
            seat, "pg_isready", "-q", "-h", seat.sockets, dies_with=signal.SIGKILL
        )
        if await asked.wait() == 0:
            data = seat.state / "data"
            stopping = await self._run(
                seat, "pg_ctl", "stop", "-m", "fast", "-D", data, dies_with=signal.SIGKILL
            )
            await stopping.wait()

    async def _run(
        self, seat: Seat, tool: str, *arguments: str | Path, dies_with: signal.Signals
    ) -> Process:
        command = [*seat.prefix, seat.install.tool(tool), *arguments]
        with open_log(self._home.postgres_log) as log:
            return await spawn(
                command,
                cwd=seat.state,
                log=log,
                dies_with=dies_with,
                uid=seat.uid,
                gid=seat.gid,
                environment=_ALLOCATOR,
            )

    def _error(self, what: str, tail: str) -> EmbeddedServerError:
        return EmbeddedServerError(
            f"{what}; {self._home.postgres_log} ends with:\n{tail}\n",
            "Mend what it names, or set RAG_DATABASE_URL to a server of your own",
        )


def database_url(sockets: Path) -> str:
    """URL of the database `rag` on a socket folder, in the form that libpq and psycopg take."""
    return f"postgresql://{SUPERUSER}@/{DATABASE}?host={quote(str(sockets), safe='/')}"


def _is_ready(data: Path, pid: int) -> bool:
    """Whether the server with this very pid accepts connections, by its own status line.

    Lines 1 and 8 of postmaster.pid (miscadmin.h): comparing the pid tells it from a predecessor.
    """
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _has_data(seat: Seat) -> bool:
    return (seat.state / "data").exists()


def _remove_unfinished(state: Path) -> None:
    for leftover in state.glob("unfinished-*"):
        shutil.rmtree(leftover)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _quoted(folder: Path) -> str:
    doubled = str(folder).replace('"', '""')
    return f'"{doubled}"'
