"""A server process that cannot outlive the process that started it."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def clean_environment() -> dict[str, str]:
    """Our environment without what would redirect a server or its libraries."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PG") and name != "LD_LIBRARY_PATH"
    }
    # Postgres must speak English to us: its messages decide whether a start is tried again.
    return kept | {"LC_ALL": "C"}


def python_environment() -> dict[str, str]:
    """Our environment, with which a new Python finds the packages that this one finds."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


async def spawn(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    log: int,
    dies_with: signal.Signals,
    uid: int | None = None,
    gid: int | None = None,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Process:
    """Start a server that is sent `dies_with` when this process dies.

    Args:
        environment: what it finds where ours says nothing.
        log: number of the file descriptor that it writes to.
        uid: of the user to run it as; ours where it is None, as with `gid`.
    """
    return await asyncio.create_subprocess_exec(
        *map(str, command),
        cwd=cwd,
        env={**environment, **clean_environment()},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
        preexec_fn=_bind_to_parent(dies_with),
        user=uid,
        group=gid,
        extra_groups=None if uid is None else [],
    )


async def end(process: Process, *signals: signal.Signals, patience_s: float) -> None:
    """Send each signal in turn, waiting up to `patience_s` after each, until the process ends."""
    for number in (*signals, signal.SIGKILL):
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await process.wait()


def _bind_to_parent(number: signal.Signals) -> Callable[[], None] | None:
    if sys.platform != "linux":  # no such call elsewhere; there the next start ends an orphan
        return None
    # Loaded before the fork: the child may not import or take locks.
    prctl, parent, value = ctypes.CDLL(None).prctl, os.getpid(), int(number)

    def bind() -> None:
        prctl(_PR_SET_PDEATHSIG, value)
        if os.getppid() != parent:  # it died before we were bound to it
            os._exit(1)

    return bind
