"""A stub provider of one's own, in a process of its own, for a test or a drill."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import msgspec

from loadtests.stub_provider.behaviours import Behaviour
from loadtests.stub_provider.calls import Calls
from loadtests.stub_provider.script import Script

_ROOT = Path(__file__).parents[2]
_PATIENCE_S = 5.0  # for the process to end; replies under way have one second of it


class StubProvider:
    """A running stub: where it is, and how to tell it what to do.

    `url` is the base URL of an OpenAI-style provider and ends in `/v1`; `pid` is the process, to be
    frozen or killed. `calls` and `behave` need it to be running.
    """

    def __init__(self, url: str, control: str, pid: int, http: httpx2.AsyncClient) -> None:
        self.url, self.pid = url, pid
        self._control, self._http = control, http

    async def behave(self, *behaviours: Behaviour) -> None:
        """From now on these hold, and no others; without any, it answers by `Extract`.

        Raises:
            ValueError: a field's value is out of bounds.
        """
        script = msgspec.json.encode(Script(behaviours))  # type: ignore[arg-type] # a union of all
        response = await self._http.put(self._control, content=script)
        if response.status_code == 422:
            raise ValueError(response.json()["error"])
        response.raise_for_status()

    async def calls(self) -> Calls:
        """What became of the calls so far."""
        response = await self._http.get(f"{self._control}/calls")
        return msgspec.json.decode(response.raise_for_status().content, type=Calls)

    async def reset_calls(self) -> None:
        """Count from 0 again."""
        (await self._http.delete(f"{self._control}/calls")).raise_for_status()


@contextlib.asynccontextmanager
async def running_stub(
    *behaviours: Behaviour, port: int = 0, start_timeout_s: float = 30.0
) -> AsyncIterator[StubProvider]:
    """Start a stub with `behaviours`, by default on any free port, and stop it at the end.

    It stops as well when this process is killed.

    Raises:
        RuntimeError: it did not start.
        TimeoutError: it did not start within `start_timeout_s`.
    """
    process = await _spawn(behaviours, port)
    try:
        async with asyncio.timeout(start_timeout_s):
            line = await _output(process).readline()
        if not line:
            raise RuntimeError(f"the stub provider ended with {await process.wait()}")
        async with httpx2.AsyncClient(trust_env=False) as http:
            yield StubProvider(**json.loads(line), http=http)
    finally:
        await _end(process)


async def _spawn(behaviours: tuple[Behaviour, ...], port: int) -> Process:
    chosen = (f"--behaviour={msgspec.json.encode(each).decode()}" for each in behaviours)
    module = ("-m", "loadtests.stub_provider", "--with-parent", f"--port={port}")
    return await asyncio.create_subprocess_exec(
        *(sys.executable, *module, *chosen), cwd=_ROOT, stdin=PIPE, stdout=PIPE
    )


def _output(process: Process) -> asyncio.StreamReader:
    assert process.stdout is not None  # it is a pipe
    return process.stdout


async def _end(process: Process) -> None:
    """By SIGTERM, which a frozen process must be woken for, then by SIGKILL."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
        process.send_signal(signal.SIGCONT)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
    if process.stdin is not None:
        process.stdin.close()
