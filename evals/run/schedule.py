"""Who may compute when: what measures time has the machine to itself, the rest shares it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from evals.results.notebook_run import NotebookRun
from evals.run.notebooks import Notebook
from rag_core.adapters.embedders import available_cores

UNTIMED = ("07_validity", "03_cache", "04_cost", "06_safety")
"""Notebooks that measure no time, the longest first: they share the machine from the beginning.

The others have it alone: up to their last cell tagged `timed`, or to their end without one."""

AFTER = {"04_cost": ("01_quality", "03_cache")}
"""Notebooks that read what others of the same run have found."""


class Machine:
    """Lent to one notebook at a time as long as one of `timed` wants it alone, then shared.

    `places` is how many share it: as many as there are cores, unless it is given.
    """

    def __init__(self, timed: Sequence[str], places: int | None = None) -> None:
        self._line = list(timed)
        self._free = places or available_cores()
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[Turn]:
        """While the notebook of this name runs; begins once the machine is lent to it."""
        if alone := name in self._line:
            await self._until(lambda: self._line[0] == name)
        turn = Turn(self, name)
        try:
            if not alone:
                await turn.share()
            yield turn
        finally:
            async with self._changed:
                self._free += turn.shares
                self._leave(name)

    async def share(self, name: str) -> None:
        """Others may have the machine from now on; returns once nobody wants it alone."""
        async with self._changed:
            self._leave(name)
        await self._until(lambda: not self._line and self._free > 0, take=1)

    def _leave(self, name: str) -> None:
        if name in self._line:
            self._line.remove(name)
        self._changed.notify_all()

    async def _until(self, true: Callable[[], bool], take: int = 0) -> None:
        async with self._changed:
            await self._changed.wait_for(true)
            self._free -= take


class Turn:
    """A notebook's right to compute, alone until it shares."""

    def __init__(self, machine: Machine, name: str) -> None:
        self._machine, self._name = machine, name
        self.shares = False

    async def share(self) -> float:
        """What follows measures no time; returns the seconds that it waited. Once is enough."""
        if self.shares:
            return 0.0
        began = time.perf_counter()
        await self._machine.share(self._name)
        self.shares = True
        return time.perf_counter() - began


Run = Callable[[Notebook, Turn], Awaitable[NotebookRun]]


async def run_scheduled(notebooks: Sequence[Notebook], run: Run) -> list[NotebookRun]:
    """Run each notebook once; the runs come in the order of `notebooks`.

    One after the other measures its times with the machine to itself; then they all share it.
    """
    names = [each.name for each in notebooks]
    machine = Machine([name for name in names if name not in UNTIMED])
    tasks: dict[str, asyncio.Task[NotebookRun]] = {}

    async def in_turn(notebook: Notebook) -> NotebookRun:
        before = [tasks[name] for name in AFTER.get(notebook.name, ()) if name in tasks]
        if before:
            await asyncio.wait(before)
        async with machine.turn(notebook.name) as turn:
            return await run(notebook, turn)

    by_name = {each.name: each for each in notebooks}
    shared_first = [name for name in UNTIMED if name in names]
    async with asyncio.TaskGroup() as group:
        for name in dict.fromkeys((*shared_first, *names)):
            tasks[name] = group.create_task(in_turn(by_name[name]))
    return [tasks[name].result() for name in names]
