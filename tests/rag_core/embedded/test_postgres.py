"""Postgres starts on what a crash left behind, and steps down from root."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from rag_core.embedded import (
    PostgresInstall,
    PostgresServer,
    Seat,
    StackHome,
    ensure_database,
    find_postgres,
    find_seat,
    switched_seat,
)
from rag_core.errors import EmbeddedServerError
from tests.rag_core.embedded.processes import pid_of, running_below

SeatFinder = Callable[[PostgresInstall, Path, Path], Seat]


@asynccontextmanager
async def running(server: PostgresServer) -> AsyncIterator[str]:
    try:
        yield await server.start()
    finally:
        await server.stop()


async def count(url: str) -> int:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        row = await (await connection.execute("SELECT count(*) FROM kept")).fetchone()
    assert row is not None
    return int(row[0])


def page_faults(pid: int) -> int:
    """Of a process until now, without those that read from disk: field 10 of proc_pid_stat(5)."""
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[7])


async def keep_three_rows(url: str) -> None:
    await ensure_database(url, patience_s=30)
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 3) AS n")


async def test_a_stopped_server_leaves_no_process_and_keeps_its_data(home: Path) -> None:
    server = PostgresServer(StackHome.prepare(home))
    async with running(server) as url:
        await keep_three_rows(url)
        assert server.is_running
    assert not server.is_running
    assert not running_below(home)
    async with running(server) as url:
        assert await count(url) == 3


async def test_memory_that_a_statement_gave_back_serves_the_next(home: Path) -> None:
    """Counted in pages that the system had to find for it: some 59 a statement without."""
    counted = "SELECT count(DISTINCT n % 2000) FROM generate_series(1, 3000) AS n"
    async with running(PostgresServer(StackHome.prepare(home))) as url:
        await ensure_database(url, patience_s=30)
        async with await psycopg.AsyncConnection.connect(url) as connection:
            found: list[int] = []
            for _ in range(20):
                await (await connection.execute(counted)).fetchall()
                found.append(page_faults(connection.info.backend_pid))
    assert found[-1] - found[9] < 10 * 5


async def test_a_server_killed_hard_is_started_again_at_once(home: Path) -> None:
    server = PostgresServer(StackHome.prepare(home))
    async with running(server) as url:
        await keep_three_rows(url)
        async with await psycopg.AsyncConnection.connect(url):
            os.kill(pid_of(home, "bin/postgres -D"), signal.SIGKILL)
            await server.wait()
        assert await server.start() == url
        assert await count(url) == 3


async def test_an_orphaned_server_that_still_answers_is_replaced(home: Path) -> None:
    orphan, successor = (PostgresServer(StackHome.prepare(home)) for _ in range(2))
    async with running(orphan) as url:
        await keep_three_rows(url)
        async with running(successor) as new_url:
            assert new_url == url
            assert not orphan.is_running
            assert await count(new_url) == 3


async def test_a_lock_file_that_a_living_stranger_holds_is_reported_and_left_alone(
    home: Path,
) -> None:
    server = PostgresServer(StackHome.prepare(home), predecessor_patience_s=0)
    async with running(server):
        pass
    lock = home / "postgres" / "data" / "postmaster.pid"
    async with stranger() as pid:
        lock.write_text(f"{pid}\n{lock.parent}\n0\n5432\n\n\n0 0\n")
        with pytest.raises(EmbeddedServerError, match=r"postmaster\.pid"):
            await server.start()
        assert lock.read_text().startswith(str(pid))
    async with running(server) as url:
        await ensure_database(url, patience_s=30)


@asynccontextmanager
async def stranger() -> AsyncIterator[int]:
    process = await asyncio.create_subprocess_exec("cat", stdin=PIPE)
    yield process.pid
    process.kill()
    await process.wait()


def as_nobody(install: PostgresInstall, state: Path, _base: Path) -> Seat:
    return switched_seat(install, state)


# Only root can step down, and only root has to.
SEATS = [find_seat, as_nobody] if os.geteuid() == 0 else [find_seat]


@pytest.mark.parametrize("seat_finder", SEATS)
async def test_every_way_to_run_it_keeps_data_private_and_durable(
    home: Path, seat_finder: SeatFinder
) -> None:
    stack_home = StackHome.prepare(home)
    server = PostgresServer(stack_home, seat_finder=seat_finder)
    async with running(server) as url:
        await keep_three_rows(url)
    async with running(server) as url:
        assert await count(url) == 3
    seat = seat_finder(find_postgres(), stack_home.postgres, stack_home.root)
    expected_owner = os.geteuid() if seat.uid is None else seat.uid
    assert owner_and_mode(seat.state / "data") == (expected_owner, 0o700)
    assert owner_and_mode(seat.sockets) == (expected_owner, 0o700)
    if seat.state != stack_home.postgres:
        shutil.rmtree(seat.state)


def owner_and_mode(folder: Path) -> tuple[int, int]:
    found = folder.stat()
    return found.st_uid, found.st_mode & 0o7777


def test_binaries_that_nobody_can_reach_are_copied_once(home: Path) -> None:
    """As root without namespaces; an ordinary user runs them where they are."""
    stack_home = StackHome.prepare(home)
    hidden = PostgresInstall(home / "hidden")
    shutil.copytree(find_postgres().root, hidden.root)
    home.chmod(0o700)
    seats = [SEATS[-1](hidden, stack_home.postgres, stack_home.root) for _ in range(2)]
    assert seats[0] == seats[1]
    moved = seats[0].install != hidden
    assert moved == (os.geteuid() == 0)
    seat = seats[0]
    told = subprocess.run(
        [seat.install.tool("postgres"), "--version"],
        capture_output=True,
        check=True,
        user=seat.uid,
        group=seat.gid,
    )
    assert b"18." in told.stdout
    if moved:
        shutil.rmtree(seat.state)
