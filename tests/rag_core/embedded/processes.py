"""Who is running in a home, and users of its stack in processes of their own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from rag_core.embedded import python_environment

USER = Path(__file__).with_name("stack_user.py")
DEADLINE_S = 60


def running_below(folder: Path) -> dict[int, str]:
    """Processes, pid to command line, whose working folder lies below a folder; no zombies."""
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cwd").readlink().is_relative_to(folder):
                found[int(entry.name)] = (entry / "cmdline").read_text().replace("\0", " ")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found


def pid_of(folder: Path, part: str) -> int:
    """The one process below a folder that has `part` in its command line."""
    (pid,) = [pid for pid, command in running_below(folder).items() if part in command]
    return pid


def kill_all(folder: Path) -> None:
    """Send SIGKILL to every process below a folder, some of which may go by themselves."""
    for pid in running_below(folder):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


async def eventually(
    holds: Callable[[], bool | Awaitable[bool]], *, patience_s: float = DEADLINE_S
) -> None:
    """Return once a condition holds; fail if that takes longer than `patience_s`."""
    async with asyncio.timeout(patience_s):
        while True:
            held = holds()
            if held if isinstance(held, bool) else await held:
                return
            await asyncio.sleep(0.01)


def mode_of(path: Path) -> int:
    """The permission bits of a file or folder."""
    return path.stat().st_mode & 0o7777


class StackUser:
    """A process inside the stack of a home."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.urls: dict[str, str] = {}

    async def is_in(self) -> dict[str, str]:
        """Wait until it has entered and return its URLs."""
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), DEADLINE_S)
        self.urls = json.loads(line)
        return self.urls

    async def leave(self) -> int:
        """Let it leave the stack in good order and return its exit status."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return await asyncio.wait_for(self._process.wait(), DEADLINE_S)

    async def kill(self) -> None:
        """End it with SIGKILL."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
        await self._process.wait()


@asynccontextmanager
async def started_user(home: Path) -> AsyncIterator[StackUser]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(USER), str(home)),
        stdin=PIPE,
        stdout=PIPE,
        env=python_environment(),
    )
    user = StackUser(process)
    try:
        yield user
    finally:
        await user.kill()


StartUser = Callable[[Path], Awaitable[StackUser]]
