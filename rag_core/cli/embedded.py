"""Run the embedded stack in the foreground, or time how fast it starts."""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

from typer import Option


async def embedded(
    home: Annotated[Path, Option(metavar="DIR", help="Folder for data, logs, sockets.")],
    llm: Annotated[bool, Option("--llm", help="Also serve SmolLM2-135M on 127.0.0.1.")] = False,
    timing: Annotated[
        bool, Option("--time", help="Print start and stop times on new data, and end.")
    ] = False,
) -> None:
    """Run Postgres and Valkey, without Docker.

    From the installed wheels, with pgvector, until Ctrl-C. Whoever else uses the same home shares
    the servers.

    \b
    examples:
      python -m rag_core embedded --home .rag
      python -m rag_core embedded --home /tmp/rag --time
    """
    await (_time_starts(home) if timing else _stay_up(home, llm=llm))


async def _stay_up(home: Path, *, llm: bool) -> None:
    from rag_core.embedded import embedded_stack

    asked_to_stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked_to_stop.set)
    print("starting; the very first start takes a few seconds ...", file=sys.stderr)
    async with embedded_stack(home, llm=llm) as urls:
        print(f"RAG_DATABASE_URL={urls.database_url}\nRAG_REDIS_URL={urls.redis_url}")
        if urls.llm_url:
            print(f"RAG_LLM_BASE_URL={urls.llm_url}")
        print("running; Ctrl-C stops what nobody else uses", file=sys.stderr, flush=True)
        sys.stdout.flush()
        await asked_to_stop.wait()


async def _time_starts(home: Path) -> None:
    from rag_core.embedded import StackHome

    home = StackHome.prepare(home).root
    with tempfile.TemporaryDirectory(dir=home, prefix="timing-") as folder:
        for what in ("cold start, no data yet", "warm start", "warm start", "warm start"):
            await _time_one(Path(folder), what)


async def _time_one(home: Path, what: str) -> None:
    from rag_core.embedded import embedded_stack

    begun = time.perf_counter()
    async with embedded_stack(home):
        started = time.perf_counter()
        async with embedded_stack(home):
            joined = time.perf_counter()
        left = time.perf_counter()
    stopped = time.perf_counter()
    print(
        f"{what:24} {started - begun:6.3f} s   joining a running one {joined - started:6.3f} s   "
        f"stop {stopped - left:6.3f} s",
        flush=True,
    )
