"""Watches processes while a load runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress

import psutil

from loadtests.record.resources import MACHINE, Usage

EVERY_S = 1.0
"""Seconds between two looks."""

FindParts = Callable[[], Mapping[str, Iterable[psutil.Process]]]
"""The processes of each part, as they are now."""


class Watch:
    """Looks at the parts of a rig, again and again; `usages` holds what it saw."""

    def __init__(self, find: FindParts) -> None:
        self._find = find
        self._cpu_s: dict[str, dict[tuple[int, float], float]] = {}
        self.origin_s = time.time()
        """The load's begin, in seconds of `time.time()`."""
        self.usages: list[Usage] = []

    def look(self) -> list[Usage]:
        """What each part has used or holds now."""
        at_s = time.time() - self.origin_s
        seen = [self._usage(at_s, part, list(of)) for part, of in self._find().items()]
        self.usages.extend([*seen, _of_machine(at_s)])
        return seen

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look every second within the block."""
        task = asyncio.create_task(self._look_on())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _look_on(self) -> None:
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(EVERY_S)

    def _usage(self, at_s: float, part: str, processes: list[psutil.Process]) -> Usage:
        cpu = self._cpu_s.setdefault(part, {})
        held = [_held(process) for process in processes]
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                spent = process.cpu_times()
                cpu[process.pid, process.create_time()] = spent.user + spent.system
        rss, fds, threads = (sum(column) for column in zip(*held, (0, 0, 0), strict=True))
        return Usage(
            at_s=round(at_s, 3), part=part, cpu_s=round(sum(cpu.values()), 3), rss_bytes=rss,
            fds=fds, threads=threads, processes=len(processes),
            busiest_cpu_s=round(max(cpu.values(), default=0.0), 3),
        )  # fmt: skip


def _of_machine(at_s: float) -> Usage:
    """What all processes of the machine used together, ours or not."""
    spent = psutil.cpu_times()
    cpu_s = round(spent.user + spent.nice + spent.system, 3)
    return Usage(
        at_s=round(at_s, 3), part=MACHINE, cpu_s=cpu_s, rss_bytes=0, fds=0, threads=0,
        processes=0, busiest_cpu_s=0.0,
    )  # fmt: skip


def _held(process: psutil.Process) -> tuple[int, int, int]:
    """Bytes of memory, open files and threads; nothing of a process that has just ended."""
    with suppress(psutil.NoSuchProcess), process.oneshot():
        return process.memory_info().rss, process.num_fds(), process.num_threads()
    return 0, 0, 0
