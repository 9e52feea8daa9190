"""The supervisor keeps servers while it has users, and tells users what went wrong."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from rag_core.embedded import remove_socket_folder, socket_folder
from rag_core.embedded.supervisor import Supervisor
from rag_core.errors import EmbeddedServerError


class FakeServer:
    """A server without a process; `die` ends it as a kill would."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.starts = 0
        self.started = asyncio.Event()
        self._ended = asyncio.Event()
        self._ended.set()

    @property
    def is_running(self) -> bool:
        return not self._ended.is_set()

    async def start(self) -> str:
        if self.fails:
            raise EmbeddedServerError("it is broken", "mend it")
        self.starts += 1
        self._ended.clear()
        self.started.set()
        return f"fake://{self.starts}"

    async def wait(self) -> None:
        await self._ended.wait()

    async def stop(self) -> None:
        self._ended.set()

    def die(self) -> None:
        self.started.clear()
        self._ended.set()


class User:
    """A connection to a supervisor that serves one fake server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def ask(self) -> dict[str, object]:
        self._writer.write(json.dumps({"servers": ["fake"]}).encode() + b"\n")
        reply: dict[str, object] = json.loads(await self._reader.readline())
        return reply

    def vanish(self) -> None:
        self._writer.close()

    async def leave(self) -> None:
        self._writer.write_eof()
        await self._reader.read()
        self._writer.close()


class Serving:
    """A supervisor at work in this process."""

    def __init__(self, server: FakeServer, folder: Path) -> None:
        self.supervisor = Supervisor({"fake": server}, first_user_patience_s=60)
        self.socket = folder / "control.sock"
        self.task = asyncio.create_task(self.supervisor.serve(listening(self.socket)))
        self._users: list[User] = []

    async def connect(self) -> User:
        user = User(*await asyncio.open_unix_connection(self.socket))
        self._users.append(user)
        return user

    async def end(self) -> None:
        for user in self._users:
            user.vanish()
        self.supervisor.end()
        await asyncio.wait_for(self.task, 30)


def listening(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    return listener


@asynccontextmanager
async def serving(server: FakeServer, tmp_path: Path) -> AsyncIterator[Serving]:
    work = Serving(server, socket_folder(tmp_path, owner=os.geteuid()))
    try:
        yield work
    finally:
        await work.end()
        remove_socket_folder(tmp_path, owner=os.geteuid())


async def test_the_server_runs_until_the_last_user_has_left(tmp_path: Path) -> None:
    server = FakeServer()
    async with serving(server, tmp_path) as work:
        first, second = await work.connect(), await work.connect()
        assert await first.ask() == {"urls": {"fake": "fake://1"}}
        assert await second.ask() == {"urls": {"fake": "fake://1"}}
        await first.leave()
        assert server.is_running
        await second.leave()
        assert not server.is_running
        await asyncio.wait_for(work.task, 30)
        assert not work.socket.exists()


async def test_a_user_who_vanishes_counts_as_gone(tmp_path: Path) -> None:
    server = FakeServer()
    async with serving(server, tmp_path) as work:
        user = await work.connect()
        await user.ask()
        user.vanish()
        await asyncio.wait_for(work.task, 30)
        assert not server.is_running


async def test_a_user_who_says_nothing_and_vanishes_counts_as_gone(tmp_path: Path) -> None:
    async with serving(FakeServer(), tmp_path) as work:
        (await work.connect()).vanish()
        await asyncio.wait_for(work.task, 30)


async def test_a_dead_server_is_started_again_while_anyone_uses_it(tmp_path: Path) -> None:
    server = FakeServer()
    async with serving(server, tmp_path) as work:
        user = await work.connect()
        await user.ask()
        for _ in range(3):
            server.die()
            await asyncio.wait_for(server.started.wait(), 30)
        assert server.starts == 4


async def test_a_server_that_fails_to_come_back_is_tried_again_for_the_next_user(
    tmp_path: Path,
) -> None:
    server = FakeServer()
    async with serving(server, tmp_path) as work:
        user = await work.connect()
        await user.ask()
        server.fails = True
        server.die()
        next_user = await work.connect()
        assert await next_user.ask() == {"problem": "it is broken", "fix": "mend it"}
        server.fails = False
        third_user = await work.connect()
        assert "urls" in await third_user.ask()


async def test_a_request_to_end_stops_servers_that_are_in_use(tmp_path: Path) -> None:
    server = FakeServer()
    async with serving(server, tmp_path) as work:
        await (await work.connect()).ask()
        work.supervisor.end()
        await asyncio.wait_for(work.task, 30)
        assert not server.is_running


async def test_a_supervisor_whose_first_user_never_comes_ends(tmp_path: Path) -> None:
    listener = listening(socket_folder(tmp_path, owner=os.geteuid()) / "control.sock")
    supervisor = Supervisor({"fake": FakeServer()}, first_user_patience_s=0.001)
    await asyncio.wait_for(supervisor.serve(listener), 30)
    remove_socket_folder(tmp_path, owner=os.geteuid())
