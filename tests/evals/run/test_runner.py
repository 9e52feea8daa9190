"""Running notebooks in real kernels."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from evals.project import ROOT
from evals.results.notebook_run import NotebookRun
from evals.run.notebooks import Value, discover
from evals.run.runner import run_notebook
from rag_core.cli import NOTEBOOK_PROGRESS
from tests.evals.run.notebook_files import (
    PARAMETERS,
    WRITES,
    code,
    markdown,
    small_notebook,
    write_notebook,
)

# jupyter_client and its relations warn of things that only they can change.
pytestmark = pytest.mark.filterwarnings("default")


def run(tmp_path: Path, *sources: str, timeout_s: float = 60, **values: Value) -> NotebookRun:
    small_notebook(tmp_path / "notebooks", *sources)
    [notebook] = discover(tmp_path / "notebooks")
    folder = tmp_path / "report"
    folder.mkdir()
    return run_notebook(notebook, values, folder, cell_timeout_s=timeout_s)


def test_a_notebook_gets_its_parameters_and_hands_its_result_over(tmp_path: Path) -> None:
    """The executed notebook lies in the report's folder, the source stays as it was."""
    done = run(tmp_path, 'assert profile == "full"', WRITES.format(n=3), profile="full")
    assert (done.problem, done.exit_code) == ("", 0)
    assert done.result is not None
    assert done.result.n == 3
    executed = nbformat.read(done.executed, as_version=4)  # type: ignore[no-untyped-call]
    assert executed.cells[-1].execution_count
    assert '"execution_count": null' in (tmp_path / "notebooks" / "01_small.ipynb").read_text()


def test_top_level_await_works(tmp_path: Path) -> None:
    done = run(tmp_path, "import asyncio\nawait asyncio.sleep(0)", WRITES.format(n=1))
    assert done.exit_code == 0


def test_a_notebook_that_writes_nothing_is_invalid(tmp_path: Path) -> None:
    done = run(tmp_path, "1 + 1")
    assert done.exit_code == 3
    assert "wrote no result" in done.problem


def test_a_notebook_that_measured_nothing_is_invalid(tmp_path: Path) -> None:
    done = run(tmp_path, WRITES.format(n=0))
    assert done.exit_code == 3
    assert "nothing was measured" in done.problem


def test_a_result_that_breaks_the_contract_names_the_field(tmp_path: Path) -> None:
    done = run(tmp_path, 'open(out_path, "w").write(\'{"title": "x", "verdict": "y", "n": "z"}\')')
    assert done.exit_code == 3
    assert "$.n" in done.problem


def test_a_dead_kernel_is_told_from_a_failed_cell(tmp_path: Path) -> None:
    done = run(tmp_path, "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    assert done.exit_code == 4
    assert "kernel died" in done.problem


def test_a_cell_that_hangs_is_stopped(tmp_path: Path) -> None:
    done = run(tmp_path, "import time\ntime.sleep(600)", timeout_s=2)
    assert done.exit_code == 4
    assert "longer than 2 s" in done.problem


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        ("DatabaseUnavailable('gone')", 4),
        ("InvalidInput('profile', 'is wrong')", 2),
        ("ConfigurationError('RAG_X', 'is wrong')", 3),
        ("ValueError('a bug')", 3),
    ],
)
def test_a_failed_cell_keeps_the_exit_code_of_its_error(
    tmp_path: Path, error: str, exit_code: int
) -> None:
    done = run(tmp_path, f"from rag_core.errors import *\nraise {error}")
    assert done.exit_code == exit_code
    assert error.partition("(")[0] in done.problem
    assert "\n" not in done.problem


def add_kernel(
    folder: Path, name: str, spec: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Install a kernel for the length of a test."""
    (folder / "kernels" / name).mkdir(parents=True)
    (folder / "kernels" / name / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(folder))


@pytest.mark.parametrize("kernel", ["missing", "broken"])
def test_a_kernel_that_does_not_start_is_infrastructure(
    tmp_path: Path, kernel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is not installed, the other exits at once."""
    spec = {"argv": ["false"], "display_name": "Broken", "language": "python"}
    add_kernel(tmp_path, "broken", spec, monkeypatch)
    small_notebook(tmp_path / "notebooks", WRITES.format(n=1))
    [notebook] = discover(tmp_path / "notebooks")
    done = run_notebook(notebook, {}, tmp_path, kernel=kernel)
    assert done.exit_code == 4
    assert "kernel" in done.problem


OTHER = "raise RuntimeError('another rag_core was imported')"


def test_a_kernel_imports_this_checkout_whatever_is_first_on_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manifest names the commit of this checkout."""
    for package in ("rag_core", "evals"):
        (tmp_path / "other" / package).mkdir(parents=True)
        (tmp_path / "other" / package / "__init__.py").write_text(OTHER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "other"))
    done = run(tmp_path, WRITES.format(n=1))
    assert (done.problem, done.exit_code) == ("", 0)
    assert os.environ["PYTHONPATH"] == str(tmp_path / "other"), "left as it was"


def test_a_result_of_other_code_than_this_checkouts_is_invalid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kernel's own settings can name another path than ours."""
    copied = tmp_path / "other" / "evals"
    shutil.copytree(ROOT / "evals", copied)
    spec = {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Stubborn",
        "language": "python",
        "env": {"PYTHONPATH": os.pathsep.join([str(copied.parent), str(ROOT)])},
    }
    add_kernel(tmp_path, "stubborn", spec, monkeypatch)
    small_notebook(tmp_path / "notebooks", WRITES.format(n=1))
    [notebook] = discover(tmp_path / "notebooks")
    done = run_notebook(notebook, {}, tmp_path, kernel="stubborn")
    assert done.exit_code == 3
    assert f"imported {copied}, not this checkout" in done.problem
    assert done.result is None


def test_what_a_kernel_tells_leaves_no_names_in_the_notebook(tmp_path: Path) -> None:
    source = "assert not {'pathlib', 'rag_core', 'evals', 'name'} & set(globals())"
    assert run(tmp_path, source, WRITES.format(n=1)).problem == ""


def test_the_machine_is_shared_once_when_the_last_timed_cell_is_done(tmp_path: Path) -> None:
    """What it waits for others is none of the notebook's own seconds."""
    mark = tmp_path / "marks"
    note = f"from pathlib import Path\nPath({str(mark)!r}).open('a').write('{{}}\\n')"
    cells = [
        code(note.format("before")),
        code(note.format("timed"), ["timed"]),
        code(note.format("between")),
        code(note.format("timed again"), ["timed"]),
        code(note.format("after")),
        code(WRITES.format(n=1)),
    ]
    story = [markdown(), code(PARAMETERS, ["parameters"])]
    path = write_notebook(tmp_path / "notebooks" / "01_timed.ipynb", [*story, *cells])
    [notebook] = discover(path.parent)

    def share() -> float:
        with mark.open("a") as file:
            file.write("shared\n")
        return 1000.0

    done = run_notebook(notebook, {}, tmp_path, share=share)
    assert done.problem == ""
    order = ["before", "timed", "between", "timed again", "shared", "after"]
    assert mark.read_text().splitlines() == order
    assert done.seconds < 0


def test_progress_of_a_long_cell_reaches_the_terminal_and_not_the_notebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(NOTEBOOK_PROGRESS, "1")
    source = """\
from rag_core.cli import progress
progress.FIRST_LINE_S = 0.0
told = progress.lines
def once(task, ended):
    yield next(told(task, ended))
progress.lines = once
with progress.progress_bar(4, "ask", "question"):
    pass
"""
    done = run(tmp_path, source, WRITES.format(n=1))
    assert "ask: 0 of 4 questions" in capfd.readouterr().err
    assert "of 4 questions" not in done.executed.read_text().replace(source, "")
