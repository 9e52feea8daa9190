"""`python -m rag_core serve`, as a process of its own."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from signal import SIGTERM

import httpx

from tests.rag_core.embedded.processes import eventually

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@asynccontextmanager
async def serving(
    variables: Mapping[str, str], command: Sequence[str | Path] = (sys.executable,)
) -> AsyncIterator[str]:
    """The URL of a server that answers, and ends when it is told to."""
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables, "RAG_PORT": str(port)}
    process = await asyncio.create_subprocess_exec(
        *command, "-m", "rag_core", "serve", env=environment, cwd="/", stdout=PIPE, stderr=PIPE
    )
    try:
        await eventually(lambda: _answers(process, port))
        yield f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.terminate()
        _, said = await process.communicate()
    assert process.returncode in (0, -SIGTERM), said.decode()


async def _answers(process: Process, port: int) -> bool:
    """Whether the server does; a process that has ended never will."""
    if process.returncode is not None:
        return True
    async with httpx.AsyncClient() as client:
        try:
            answer = await client.get(f"http://127.0.0.1:{port}/health/live")
        except httpx.TransportError:
            return False
    return answer.status_code == 200
