"""`python -m rag_core serve` with servers of its own, and a provider that waits to be let go on."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
import time
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import jwt
import psutil

from rag_core.embedded import python_environment
from tests.deploy.served import free_port
from tests.rag_core.adapters.generators.conftest import DONE, USAGE_EVENT, event
from tests.rag_core.app.served import EVENTS
from tests.rag_core.embedded.processes import eventually, kill_all
from tests.rag_core.library import note
from tests.rag_core.scene import QUESTION

SECRET = secrets.token_hex(32)
START_S = 300.0
"""Seconds in which the whole server starts, model and workers, on a busy machine."""

END_S = 60.0


@dataclass
class HeldProvider:
    """Streams the first half of its answer, and the other when it may."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
        writer.write(head + event("Grace is"))
        await writer.drain()
        self.asked.set()
        await self.go_on.wait()
        writer.write(event(" a gift [1].", "stop") + USAGE_EVENT + DONE)
        writer.close()


@asynccontextmanager
async def holding() -> AsyncIterator[tuple[HeldProvider, str]]:
    """Such a provider, and its base URL."""
    provider = HeldProvider()
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0)
    async with server:
        try:
            yield provider, "http://127.0.0.1:{}/v1".format(*server.sockets[0].getsockname()[1:])
        finally:
            provider.go_on.set()


def _serves(process: psutil.Process) -> bool:
    """Whether it is a worker, neither dead nor one that is still being made and hears no signal."""
    with suppress(psutil.ZombieProcess, psutil.NoSuchProcess, FileNotFoundError):
        status = Path(f"/proc/{process.pid}/status").read_text()
        caught = int(status.partition("SigCgt:")[2].split()[0], 16)
        hears = caught >> (signal.SIGTERM - 1) & 1
        return bool(hears) and "spawn_main" in " ".join(process.cmdline())
    return False


@dataclass(frozen=True)
class ServerProcess:
    """A server in a session of its own, with a home and a temp folder of its own."""

    home: Path
    temp: Path
    process: Process
    client: httpx.AsyncClient

    def workers(self) -> set[int]:
        """Pids of the processes that it has started to serve, and that hear when to stop."""
        return {each.pid for each in psutil.Process(self.process.pid).children() if _serves(each)}

    async def answers(self) -> bool:
        """Whether somebody who is new finds it."""
        assert self.process.returncode is None, "it has ended"
        with suppress(httpx.TransportError):
            return (await self._live()).status_code == 200
        return False

    async def refuses(self) -> bool:
        """Whether nobody who is new is let in, not even to wait."""
        try:
            await self._live()
        except httpx.ConnectError:
            return True
        except httpx.TransportError:
            return False  # it came just before
        return False

    async def _live(self) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self.client.base_url) as stranger:
            return await stranger.get("/health/live")

    async def streamed(self) -> str:
        """All that comes of the answer to a question."""
        asked = {"question": QUESTION}
        async with self.client.stream(
            "POST", "/assistant/query", json=asked, headers=EVENTS
        ) as response:
            return (await response.aread()).decode()

    async def ended(self) -> tuple[int, str]:
        """Its exit code, and what it said."""
        _, said = await asyncio.wait_for(self.process.communicate(), END_S)
        assert self.process.returncode is not None
        return self.process.returncode, said.decode()


def environment(home: Path, temp: Path, variables: Mapping[str, str]) -> dict[str, str]:
    given = {"RAG_JWT_SECRET": SECRET, "RAG_JWT_AUDIENCE": "tests", "RAG_MIN_SCORE": "0.1"}
    given |= {"RAG_HOME": str(home), "TMPDIR": str(temp), "RAG_PORT": str(free_port())}
    return python_environment() | given | dict(variables)


@asynccontextmanager
async def serving(
    folder: Path, model: Path, variables: Mapping[str, str]
) -> AsyncIterator[ServerProcess]:
    """The server, whose user has a note on grace; it is killed where the block leaves it running.

    Args:
        folder: with a short name, for sockets lie in it.
        model: where the exported model is.
    """
    home, temp = folder / "home", folder / "temp"
    home.mkdir()
    temp.mkdir()
    (home / "models").symlink_to(model.parent)
    given = environment(home, temp, variables)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rag_core", "serve"),
        env=given,
        stderr=PIPE,
        start_new_session=True,
    )
    claims = {"sub": "ruth", "aud": "tests", "exp": time.time() + 3600}
    bearer = {"authorization": f"Bearer {jwt.encode(claims, SECRET)}"}
    url = f"http://127.0.0.1:{given['RAG_PORT']}"
    async with httpx.AsyncClient(base_url=url, headers=bearer, timeout=END_S) as client:
        server = ServerProcess(home, temp, process, client)
        try:
            await eventually(server.answers, patience_s=START_S)
            grace = {"title": "On grace", "body": note("grace").body}
            (await client.put("/notes/grace", json=grace)).raise_for_status()
            yield server
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
            kill_all(folder)
