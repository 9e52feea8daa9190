"""A canary in a real server: begun by a file, rolled back by one line of it, and no restart."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import httpx
import psutil
import pytest

from loadtests.stub_provider import Latency, StubProvider, running_stub
from rag_core.access import ApiKey
from rag_core.adapters.postgres import Database, PostgresApiKeys
from rag_core.bootstrap import assemble
from rag_core.domain import Tokenizer, UserId
from rag_core.embedded import StackUrls, python_environment
from rag_core.settings import load_settings
from tests.rag_core.embedded.processes import eventually
from tests.rag_core.library import note
from tests.servers import chosen

SLOW_S = 3.0
"""Seconds that the canary's provider takes: time to roll it back meanwhile."""


START_S = 300.0
"""Seconds in which the whole server starts, model and workers, on a busy machine."""


@dataclass
class Server:
    """`python -m rag_core serve` with its settings in a file."""

    env: Path
    common: str
    process: Process
    client: httpx.AsyncClient
    numbers: count[int]

    def canary(self, percent: int) -> None:
        """Write the file anew."""
        canary = f'RAG_CANARY_PERCENT={percent}\nRAG_CANARY_SETTINGS={{"generator": "auto"}}\n'
        self.env.write_text(self.common + canary)

    async def answered_by(self) -> str:
        """Who answers a question that nobody asked before."""
        question = f"What does Paul call grace in chapter {next(self.numbers)}?"
        answer = await self.client.post("/assistant/query", json={"question": question})
        answer.raise_for_status()
        return str(answer.json()["generator"])

    async def is_up(self) -> bool:
        assert self.process.returncode is None
        try:
            return (await self.client.get("/health/live")).status_code == 200
        except httpx.TransportError:
            return False

    def processes(self) -> set[int]:
        """Pids of the server and its workers."""
        whole = psutil.Process(self.process.pid)
        return {whole.pid, *(each.pid for each in whole.children(recursive=True))}


@asynccontextmanager
async def serving(env: Path, common: str, key: ApiKey, workers: int) -> AsyncIterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "rag_core", "--env", str(env), "serve"]
    url, headers = f"http://127.0.0.1:{port}", {"x-api-key": key.text}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
        process = await asyncio.create_subprocess_exec(
            *command, "--port", str(port), "--workers", str(workers), env=python_environment()
        )
        server = Server(env, common, process, client, count())
        try:
            await eventually(server.is_up, patience_s=START_S)
            yield server
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _is_asked(stub: StubProvider) -> bool:
    return (await stub.calls()).in_flight > 0


@pytest.fixture
async def stub() -> AsyncIterator[StubProvider]:
    async with running_stub(Latency(seconds=SLOW_S)) as stub:
        yield stub


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_canary_is_rolled_back_by_one_line_while_somebody_is_being_answered(
    workers: int,
    stack: StackUrls,
    database: Database,
    database_url: str,
    user: UserId,
    tokenizer: Tokenizer,
    stub: StubProvider,
    exported_model: Path,
    tmp_path: Path,
) -> None:
    env, key = tmp_path / "env", ApiKey.issue()
    common = (
        f"RAG_HOME={exported_model.parents[1]}\nRAG_DATABASE_URL={database_url}\n"
        f"RAG_REDIS_URL={stack.redis_url}\nRAG_CACHE=redis\nRAG_DATABASE_PREPARE={chosen.PREPARE}\n"
        f"RAG_RATE_LIMITS=\nRAG_RATE_LIMITS_ALL=\nRAG_GENERATOR=extractive\n"
        f"RAG_HF_BASE_URL={stub.url}\nRAG_PRICE_INPUT_USD=0\nRAG_PRICE_OUTPUT_USD=0\n"
    )
    env.write_text(f'{common}RAG_CANARY_PERCENT=100\nRAG_CANARY_SETTINGS={{"generator": "auto"}}\n')
    async with assemble(load_settings(env), tokenizer=tokenizer) as application:
        await application.ingest.run(user, [note("grace")])
    await PostgresApiKeys(database).add(key, user)
    async with serving(env, common, key, workers) as server:
        before = server.processes()
        under_way = asyncio.create_task(server.answered_by())
        await eventually(lambda: _is_asked(stub))
        server.canary(0)
        server.process.send_signal(signal.SIGHUP)

        async def stable() -> bool:
            by = await asyncio.gather(*(server.answered_by() for _ in range(4)))
            return set(by) == {"extractive"}

        await eventually(stable)
        assert await under_way == "huggingface", "it ended on the canary that it began on"
        assert server.processes() == before
        server.canary(100)
        server.process.send_signal(signal.SIGHUP)

        async def canary() -> bool:
            return await server.answered_by() == "huggingface"

        await eventually(canary)
        assert server.processes() == before
