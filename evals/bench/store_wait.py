"""Who waits for whom: questions beside queued saves, and beside a frozen Postgres."""

from __future__ import annotations

import asyncio
import itertools
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import psycopg

from evals.bench.figures import Figure
from evals.bench.world import USER, bench
from evals.results.numbers import number
from rag_core.domain import Note, UserId
from rag_core.errors import Unavailable
from rag_core.ingest import Ingest
from rag_core.pipeline import Pipeline

# Chosen: far more savers than connections to save with, and questions enough for a p99.
SAVERS = 20
QUESTIONS = 300
FROZEN_REQUESTS = 12
LOOKUP_LIMIT_S = 2.0
"""RAG_DATABASE_TIMEOUT_S, for what needs no model."""

_numbers = itertools.count()


async def queued_saves(folder: Path) -> list[Figure]:
    """Twenty writers of one user, each saving again at once, while another user asks."""
    figures = []
    async with bench(folder, chunks=500) as world:
        for kind, ask in (("new question", _new_question), ("cached answer", _old_question)):
            quiet = await _ask_ms(world.pipeline, ask)
            busy = asyncio.create_task(_save_on(world.application.ingest))
            beside = await _ask_ms(world.pipeline, ask)
            busy.cancel()
            await asyncio.gather(busy, return_exceptions=True)
            quiet += await _ask_ms(world.pipeline, ask)
            figures += _beside(kind, quiet, beside)
    return figures


def _beside(kind: str, quiet: list[float], beside: list[float]) -> list[Figure]:
    p99_quiet, p99 = float(np.percentile(quiet, 99)), float(np.percentile(beside, 99))
    ratio = p99 / p99_quiet
    measured = f"{number(p99, 'ms')}, {number(ratio, '×')} quiet"
    return [
        Figure(f"p99 of a {kind}, quiet", number(p99_quiet, "ms"), f"{len(quiet)} asked"),
        Figure(f"p99 of a {kind} beside {SAVERS} writers", measured, "≤ 2 × quiet", ratio <= 2),
    ]


def _new_question() -> str:
    return f"What of covenant number {next(_numbers)}?"


def _old_question() -> str:
    return f"What of the covenant, of {next(_numbers) % 10}?"


async def _save_on(ingest: Ingest) -> None:
    async def saver(number: int) -> None:
        while True:
            body = f"Page {next(_numbers)} of zebra accounting."
            await ingest.run(UserId("saver"), [Note(f"n{number}", "", body)])

    await asyncio.gather(*(saver(number) for number in range(SAVERS)))


async def _ask_ms(pipeline: Pipeline, question: Callable[[], str]) -> list[float]:
    times = []
    for _ in range(QUESTIONS):
        began = time.perf_counter()
        await pipeline.answer(question(), USER)
        times.append((time.perf_counter() - began) * 1000)
    return times[10:]


async def frozen_postgres(folder: Path) -> list[Figure]:
    """Every process of the server stopped by SIGSTOP, and woken again."""
    async with bench(folder, chunks=500) as world:
        await _ask_ms(world.pipeline, _old_question)
        processes = await _server_processes(world.database_url)
        _signal(processes, signal.SIGSTOP)
        try:
            waits = await asyncio.gather(
                *(_refused_s(world.pipeline) for _ in range(FROZEN_REQUESTS))
            )
        finally:
            _signal(processes, signal.SIGCONT)
        began = time.perf_counter()
        answer = await world.pipeline.answer("What of the covenant, of 1?", USER)
        first_ms = (time.perf_counter() - began) * 1000
    longest = max(waits)
    met = longest <= LOOKUP_LIMIT_S + 0.25
    return [
        Figure(
            f"longest of {FROZEN_REQUESTS} requests, Postgres frozen",
            number(longest, "s"),
            f"{LOOKUP_LIMIT_S} s, and a quarter for a busy machine",
            met,
        ),
        Figure("the first after thawing", f"{answer.provenance}, {first_ms:.0f} ms", "succeeds"),
    ]


async def _refused_s(pipeline: Pipeline) -> float:
    """Seconds until a request ends; that it fails is meant."""
    began = time.perf_counter()
    try:
        await pipeline.answer(_new_question(), USER)
    except Unavailable:
        return time.perf_counter() - began
    raise AssertionError("answered without Postgres")


async def _server_processes(url: str) -> list[psutil.Process]:
    """The postmaster and all of its children, children first."""
    async with await psycopg.AsyncConnection.connect(url) as connection:
        found = await connection.execute("SELECT pg_backend_pid()")
        row = await found.fetchone()
    assert row is not None
    postmaster = psutil.Process(row[0]).parent()
    assert postmaster is not None
    return [*postmaster.children(), postmaster]


def _signal(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # a child that has just ended
            process.send_signal(number)
