"""Which notebooks run alone, and which beside each other: only those that measure no time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from evals.results.notebook_run import NotebookRun
from evals.run.notebooks import Notebook

SIDE_BY_SIDE = (("03_cache", "04_cost"), ("06_safety", "07_validity"))
"""Lines of notebooks that measure no time and write nothing that another line reads.

Within a line one waits for the other: 04_cost reads what 03_cache found."""

Run = Callable[[Notebook], Awaitable[NotebookRun]]


async def run_scheduled(notebooks: Sequence[Notebook], run: Run) -> list[NotebookRun]:
    """Run each notebook once; the runs come in the order of `notebooks`.

    Those of no line come first, one after the other, with the machine to themselves, as they may
    measure time. Then all lines of `SIDE_BY_SIDE` run at once.
    """
    done: dict[str, NotebookRun] = {}

    async def one_by_one(line: Sequence[Notebook]) -> None:
        for notebook in line:
            done[notebook.name] = await run(notebook)

    lines = [[each for each in notebooks if each.name in names] for names in SIDE_BY_SIDE]
    beside = {name for names in SIDE_BY_SIDE for name in names}
    await one_by_one([each for each in notebooks if each.name not in beside])
    async with asyncio.TaskGroup() as group:
        for line in lines:
            group.create_task(one_by_one(line))
    return [done[each.name] for each in notebooks]
