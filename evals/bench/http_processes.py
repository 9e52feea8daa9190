"""Processes of an HTTP benchmark: servers whose CPU is read, and the generator that asks them."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psutil

from evals.bench.http_client import Measured, Task
from evals.hnsw.server import cpu_s
from evals.project import ROOT
from rag_core.errors import Unavailable

START_S = 120.0
"""By when a server must listen; a proxy of hundreds of megabytes takes a while. Chosen."""

_MOST_LINE_BYTES = 64_000_000


@dataclass(frozen=True, slots=True)
class Server:
    """A process that listens."""

    name: str
    port: int
    process: psutil.Process
    started_s: float
    """Seconds until it listened."""

    def cpu_s(self) -> float:
        """CPU seconds of it and its children so far."""
        processes = [self.process, *self.process.children(recursive=True)]
        return cpu_s(each.pid for each in processes)

    def rss_bytes(self) -> int:
        """Resident memory of it and its children."""
        processes = [self.process, *self.process.children(recursive=True)]
        return sum(each.memory_info().rss for each in processes)


@asynccontextmanager
async def listening(
    name: str,
    command: Sequence[str],
    folder: Path,
    env: Mapping[str, str] | None = None,
    *,
    cwd: Path = ROOT,
) -> AsyncIterator[Server]:
    """Run a command, in which `{port}` is replaced, until it listens there; stop it at the end.

    Args:
        folder: for what it says.
        env: beside this process's own.

    Raises:
        Unavailable: it ended, or did not listen in time; holds what it said last.
    """
    port = _free_port()
    said = folder / f"{name}.log"
    began = time.perf_counter()
    with said.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(part.replace("{port}", str(port)) for part in command),
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdout=log,
            stderr=log,
        )
    try:
        while not _listens(port):
            if process.returncode is not None or time.perf_counter() - began > START_S:
                raise Unavailable(f"{name} does not listen:\n{said.read_text()[-500:].strip()}")
            await asyncio.sleep(0.05)
        yield Server(name, port, psutil.Process(process.pid), time.perf_counter() - began)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


class Generator:
    """A process of `evals.bench.http_client`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def run(self, task: Task) -> Measured:
        """What the task measured.

        Raises:
            RuntimeError: a response was not 200, or the generator broke.
        """
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(msgspec.json.encode(task) + b"\n")
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError("the load generator broke; see above")
        measured = msgspec.json.decode(line, type=Measured)
        if set(measured.statuses) != {"200"}:
            raise RuntimeError(f"not all was answered: {measured.statuses}")
        return measured


@asynccontextmanager
async def generator() -> AsyncIterator[Generator]:
    """The process, while in use."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "evals.bench.http_client"),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        limit=_MOST_LINE_BYTES,
    )
    try:
        yield Generator(process)
    finally:
        assert process.stdin
        process.stdin.close()
        await process.wait()


def post(path: str, content: object, *headers: str) -> bytes:
    """The bytes of a POST of `content` as JSON."""
    body = msgspec.json.encode(content)
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
