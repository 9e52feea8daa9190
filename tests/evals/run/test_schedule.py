"""Notebooks that measure time run with the machine to themselves; the others beside each other."""

from __future__ import annotations

import asyncio
from pathlib import Path

from evals.project import NOTEBOOKS
from evals.results.notebook_run import NotebookRun
from evals.run.notebooks import Notebook, discover
from evals.run.schedule import SIDE_BY_SIDE, run_scheduled

OF_LINES = [name for line in SIDE_BY_SIDE for name in line]


def test_what_may_measure_time_runs_alone_and_a_line_in_its_order() -> None:
    names = ["01_first", "09_own", *OF_LINES]
    begun: list[str] = []
    beside: dict[str, set[str]] = {}
    running: set[str] = set()

    async def run(notebook: Notebook) -> NotebookRun:
        begun.append(notebook.name)
        running.add(notebook.name)
        for _ in range(3):
            await asyncio.sleep(0)
            for each in running:
                beside.setdefault(each, set()).update(running)
        running.remove(notebook.name)
        return NotebookRun(notebook.name, notebook.path, 0.0, None)

    notebooks = [Notebook(Path(f"{name}.ipynb"), {}) for name in sorted(names)]
    runs = asyncio.run(run_scheduled(notebooks, run))

    assert [each.name for each in runs] == sorted(names)
    assert beside["01_first"] == {"01_first"}
    assert beside["09_own"] == {"09_own"}
    assert begun[:2] == ["01_first", "09_own"]
    for line in SIDE_BY_SIDE:
        assert [name for name in begun if name in line] == list(line)
        assert all(beside[name] & set(line) == {name} for name in line)
    assert any(len(beside[name]) > 1 for name in OF_LINES)


def test_lines_name_notebooks_that_there_are() -> None:
    assert set(OF_LINES) <= {notebook.name for notebook in discover(NOTEBOOKS)}
