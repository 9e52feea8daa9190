"""Cells that measure time have the machine to themselves; the others share it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from evals.project import NOTEBOOKS
from evals.results.notebook_run import NotebookRun
from evals.run.notebooks import Notebook, discover
from evals.run.schedule import AFTER, UNTIMED, Machine, Turn, run_scheduled

TIMED = ("01_quality", "02_timed", "09_alone")
STEPS = 20


class Log:
    """Which notebooks computed at the same time, alone or sharing, and in what order they began."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.running: dict[str, str] = {}
        self.seen: list[dict[str, str]] = []

    async def compute(self, name: str, how: str) -> None:
        self.running[name] = how
        for _ in range(STEPS):
            self.seen.append(dict(self.running))
            await asyncio.sleep(0)
        del self.running[name]

    async def run(self, notebook: Notebook, turn: Turn) -> NotebookRun:
        name = notebook.name
        self.begun.append(name)
        if name in TIMED:
            await self.compute(name, "alone")
            if name != "09_alone":
                await turn.share()
        await self.compute(name, "alone" if name == "09_alone" else "sharing")
        self.ended.append(name)
        return NotebookRun(name, notebook.path, 0.0)


def scheduled(names: list[str]) -> tuple[Log, list[NotebookRun]]:
    log = Log()
    notebooks = [Notebook(Path(f"{name}.ipynb"), {}) for name in names]
    return log, asyncio.run(run_scheduled(notebooks, log.run))


def test_who_measures_time_is_alone_and_what_is_left_of_it_waits_for_all_who_do() -> None:
    names = sorted((*TIMED, *UNTIMED))
    log, runs = scheduled(names)

    assert [each.name for each in runs] == names
    for seen in log.seen:
        assert len(seen) == 1 or "alone" not in seen.values()
    last_alone = max(i for i, seen in enumerate(log.seen) if "alone" in seen.values())
    first_shared = min(i for i, seen in enumerate(log.seen) if "sharing" in seen.values())
    assert last_alone < first_shared


def test_what_reads_what_others_found_waits_for_them() -> None:
    log, _ = scheduled(sorted((*TIMED, *UNTIMED)))
    for name, before in AFTER.items():
        assert before
        assert set(before) <= set(log.ended[: log.ended.index(name)])


def test_one_alone_is_run_whatever_it_would_have_waited_for() -> None:
    for name in (*TIMED, *UNTIMED):
        log, [run] = scheduled([name])
        assert run.name == name
        assert log.ended == [name]


def test_no_more_share_the_machine_than_there_are_places() -> None:
    log = Log()

    async def run_all() -> None:
        machine = Machine(["timed"], places=2)

        async def run(name: str) -> None:
            async with machine.turn(name) as turn:
                await turn.share()
                await log.compute(name, "sharing")

        async with asyncio.TaskGroup() as group:
            for name in ("a", "b", "timed", "c"):
                group.create_task(run(name))

    asyncio.run(run_all())
    assert max(len(seen) for seen in log.seen) == 2


def test_a_notebook_that_fails_holds_nobody_up() -> None:
    done: list[str] = []

    async def run_all() -> None:
        machine = Machine(["first", "second"], places=1)

        async def run(name: str) -> None:
            async with machine.turn(name) as turn:
                if name != "second":
                    return  # its cells before the last timed one failed
                await turn.share()
            done.append(name)

        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            for name in ("other", "first", "second"):
                group.create_task(run(name))

    asyncio.run(run_all())
    assert done == ["second"]


def test_the_notebooks_that_are_named_are_there() -> None:
    there = {notebook.name for notebook in discover(NOTEBOOKS)}
    named = {*UNTIMED, *AFTER, *(name for before in AFTER.values() for name in before)}
    assert named <= there
