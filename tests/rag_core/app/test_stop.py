"""A real server that is told to stop: what is under way ends whole, and then nothing is left."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psutil
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.supervisors.multiprocess import SIGNALS

from rag_core.app.server import PATIENCE_S
from rag_core.app.workers import Workers
from tests.rag_core.app.server_process import HeldProvider, ServerProcess, holding, serving
from tests.rag_core.embedded.processes import eventually, running_below


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="stop-") as folder:
        yield Path(folder)


@asynccontextmanager
async def held(
    folder: Path, model: Path, workers: int
) -> AsyncIterator[tuple[ServerProcess, HeldProvider]]:
    """A server, and the provider that it asks."""
    async with holding() as (provider, url):
        variables = {"RAG_GENERATOR": "auto", "RAG_HF_BASE_URL": url, "RAG_WORKERS": str(workers)}
        patient = ("HF_TIMEOUT_S", "REQUEST_TIMEOUT_S", "SHUTDOWN_S")  # workers may start slowly
        variables |= {f"RAG_{name}": "120" for name in patient}
        async with serving(folder, model, variables) as server:
            yield server, provider


async def begun(server: ServerProcess, provider: HeldProvider) -> asyncio.Task[str]:
    """An answer that is being streamed, of which the provider holds the second half."""
    under_way = asyncio.create_task(server.streamed())
    await provider.asked.wait()
    return under_way


async def is_gone(server: ServerProcess, folder: Path) -> None:
    """It ended well, without a traceback, and left no process, socket or folder."""
    code, said = await server.ended()
    assert code == 0, said
    assert "Traceback" not in said
    assert not running_below(folder)
    assert os.listdir(server.temp) == []


async def test_a_stream_ends_whole_while_nobody_new_is_let_in(
    folder: Path, exported_model: Path
) -> None:
    async with held(folder, exported_model, 1) as (server, provider):
        under_way = await begun(server, provider)
        server.process.send_signal(signal.SIGTERM)
        await ends_whole(server, under_way, provider)
        await is_gone(server, folder)


async def test_a_worker_that_is_killed_is_replaced_and_all_end_as_one_alone_does(
    folder: Path, exported_model: Path
) -> None:
    """Told together with the process that started them, as by Ctrl-C at a terminal."""
    async with held(folder, exported_model, 2) as (server, provider):
        before = server.workers()
        dead = psutil.Process(min(before))
        dead.kill()
        await eventually(lambda: dead.pid not in server.workers())
        for _ in range(20):
            assert await server.answers()
        await eventually(lambda: len(server.workers()) == 2)
        assert server.workers() & before == before - {dead.pid}
        under_way = await begun(server, provider)
        os.killpg(server.process.pid, signal.SIGINT)
        await ends_whole(server, under_way, provider)
        await is_gone(server, folder)


async def test_workers_do_not_outlive_whom_they_would_be_replaced_by(
    folder: Path, exported_model: Path
) -> None:
    """Killed, it can tell them nothing; they would keep the port from the next start."""
    async with held(folder, exported_model, 2) as (server, _):
        workers = server.workers()
        assert len(workers) == 2
        server.process.kill()
        await eventually(lambda: not any(map(psutil.pid_exists, workers)))
        assert await server.refuses()


async def ends_whole(
    server: ServerProcess, under_way: asyncio.Task[str], provider: HeldProvider
) -> None:
    """Nobody new is let in, and then the stream ends as it would have."""
    await eventually(server.refuses)
    assert not under_way.done(), under_way.result()
    provider.go_on.set()
    streamed = await under_way
    assert "event: answer" in streamed
    assert "Grace is a gift [1]." in streamed


@pytest.mark.parametrize(("workers", "again"), [(1, signal.SIGTERM), (2, signal.SIGINT)])
async def test_told_twice_it_waits_for_nothing_and_leaves_nothing(
    workers: int, again: signal.Signals, folder: Path, exported_model: Path
) -> None:
    async with held(folder, exported_model, workers) as (server, provider):
        under_way = await begun(server, provider)
        server.process.send_signal(signal.SIGTERM)
        await eventually(server.refuses)
        server.process.send_signal(again)
        assert await _is_cut(under_way)
        await is_gone(server, folder)


async def _is_cut(under_way: asyncio.Task[str]) -> bool:
    """Whether it was: one process alone still says so, workers are just gone."""
    try:
        return '"retryable":true' in await under_way
    except httpx.RemoteProtocolError:
        return True


@pytest.fixture
def workers() -> Iterator[Workers]:
    """Two that cannot start; not started yet."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    config = uvicorn.Config(
        cannot_start,
        port=0,
        workers=2,
        lifespan="on",
        log_config=None,
        timeout_worker_healthcheck=PATIENCE_S,
    )
    workers = Workers(config, [config.bind_socket()])
    try:
        yield workers
    finally:
        for each in workers.sockets:
            each.close()
        for number, handler in before.items():
            signal.signal(number, handler)


def test_a_worker_that_cannot_start_ends_them_all(workers: Workers) -> None:
    """And whoever started them can tell."""
    workers.run()
    assert workers.failed


def test_the_pipe_of_a_worker_that_died_says_so_at_once(workers: Workers) -> None:
    """It died before it could answer: its health check need not wait its time out."""
    workers.init_processes()
    for begin in (workers.keep_subprocess_alive, lambda: None):
        for worker in workers.processes:
            worker.process.kill()
            worker.process.join()
            assert worker.parent_conn.poll(PATIENCE_S)
        begin()  # others in their place, and the same of them


async def cannot_start(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "lifespan.startup.failed", "message": "it cannot"})
