"""Child processes that end with their parent, however it ends."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_PATIENCE_S = 30.0  # the application lets what is under way end


class ChildFailed(Exception):
    """A child process did not do what it was started for; says which, and what it last said."""


@contextlib.asynccontextmanager
async def child(
    arguments: Sequence[str], environment: Mapping[str, str], log: Path, *, talks: bool = False
) -> AsyncIterator[Process]:
    """`python -m ARGUMENTS` from the checkout for the length of the block; SIGTERM ends it.

    What it prints goes to `log`; with `talks` its standard output is a pipe.
    """
    with log.open("ab") as file:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", *arguments),
            cwd=ROOT,
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=PIPE if talks else file,
            stderr=file,
            preexec_fn=_bound_to_parent(),
        )
    try:
        yield process
    finally:
        await _end(process)


async def run_child(
    arguments: Sequence[str], environment: Mapping[str, str], log: Path, *, timeout_s: float = 60.0
) -> bytes:
    """What `python -m ARGUMENTS` prints.

    Raises:
        ChildFailed: it ended with another exit code than 0, or not within `timeout_s`.
    """
    async with child(arguments, environment, log, talks=True) as process:
        try:
            async with asyncio.timeout(timeout_s):
                printed, _ = await process.communicate()
        except TimeoutError:
            raise ChildFailed(f"{' '.join(arguments)} took over {timeout_s:g} s") from None
    if process.returncode:
        raise ChildFailed(f"{' '.join(arguments)} ended with {process.returncode}: {tail(log)}")
    return printed


def tail(log: Path, lines: int = 5) -> str:
    """The last `lines` lines that were logged."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def clean_environment() -> dict[str, str]:
    """Ours without settings of the application, so that it has those that the rig says."""
    return {name: value for name, value in os.environ.items() if not name.startswith("RAG_")}


async def _end(process: Process) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                await process.wait()


def _bound_to_parent() -> Callable[[], None] | None:
    """For the child, before it begins: the kernel tells it when we die."""
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()  # loaded before the fork

    def bind() -> None:
        prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))
        if os.getppid() != parent:
            os._exit(1)

    return bind
