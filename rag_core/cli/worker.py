"""The command that reads documents that were uploaded."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress

from typer import Context

from rag_core.cli.application import application


async def worker(context: Context) -> None:
    """Read uploaded documents until told to stop.

    Takes documents that wait in the queue, reads each in a process with bounds on time and memory,
    and stores its note. serve does so itself unless RAG_INGEST_WORKER is false; any number of
    workers may stand beside it or in its place. What a killed worker was doing is begun again by
    another one within half a minute. Stops on Ctrl-C or SIGTERM, after what it has begun.

    \b
    examples:
      python -m rag_core worker
      RAG_INGEST_WORKER=false python -m rag_core serve
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(each, stopped.set)
    async with application(context) as app, app.reading.working():
        print("reading what waits; Ctrl-C stops", file=sys.stderr, flush=True)
        await stopped.wait()
