"""Run the embedded stack in the foreground, or time how fast it starts."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from pathlib import Path

from rag_core.embedded.home import StackHome
from rag_core.embedded.stack import embedded_stack
from rag_core.errors import RagError


def main(arguments: list[str] | None = None) -> int:
    """Run as `python -m rag_core.embedded --home DIR [--llm] [--time]`; returns the exit code."""
    options = _parser().parse_args(arguments)
    work = _time_starts(options.home) if options.time else _stay_up(options.home, llm=options.llm)
    try:
        asyncio.run(work)
    except RagError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rag_core.embedded",
        description="Run Postgres with pgvector and Valkey from the installed wheels, with no "
        "Docker, until Ctrl-C. Whoever else uses the same home shares the servers.",
    )
    parser.add_argument("--home", type=Path, required=True, help="folder for data, logs, sockets")
    parser.add_argument("--llm", action="store_true", help="also serve SmolLM2-135M on 127.0.0.1")
    parser.add_argument(
        "--time", action="store_true", help="print the start and stop times on new data, and end"
    )
    return parser


async def _stay_up(home: Path, *, llm: bool) -> None:
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
    home = StackHome.prepare(home).root
    with tempfile.TemporaryDirectory(dir=home, prefix="timing-") as folder:
        for what in ("cold start, no data yet", "warm start", "warm start", "warm start"):
            await _time_one(Path(folder), what)


async def _time_one(home: Path, what: str) -> None:
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


if __name__ == "__main__":
    sys.exit(main())
