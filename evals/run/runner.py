"""Running one notebook with papermill: progress, a watchdog, and its result read back."""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from evals.project import ROOT, foreign
from evals.results.notebook_run import NotebookRun
from evals.results.result import read_result
from evals.run.notebooks import Notebook, Value
from rag_core import errors
from rag_core.errors import InvalidInput, RagError

CELL_TIMEOUT_S = 1800
"""A cell that takes longer hangs: everything together takes minutes."""
START_TIMEOUT_S = 120
"""A kernel that takes longer hangs: it imports for seconds."""
KERNEL = "python3"
TIMED = "timed"
"""Tag of cells that measure time: nothing may compute beside them."""
INVALID, INFRASTRUCTURE = 3, 4

# Run by the kernel before the notebook, with no name of its own left behind.
_TELL_IMPORTS = (
    "__import__('pathlib').Path({file!r})"
    ".write_text('\\n'.join(__import__(name).__file__ for name in ('rag_core', 'evals')))"
)


def run_notebook(
    notebook: Notebook,
    values: Mapping[str, Value],
    folder: Path,
    *,
    cell_timeout_s: float = CELL_TIMEOUT_S,
    kernel: str = KERNEL,
    share: Callable[[], float] = lambda: 0.0,
) -> NotebookRun:
    """Execute `notebook` in a kernel of its own, and read the result it wrote to `folder`.

    Before the cell after the last one tagged `timed` it calls `share`, which returns the seconds
    that it waited; they are not the notebook's.

    The kernel imports this checkout, wherever it starts; a result made by other code is invalid.
    What goes wrong in it, a dead kernel included, is in the NotebookRun, never raised.
    """
    executed, out_path = folder / f"{notebook.name}.ipynb", folder / f"{notebook.name}.json"
    began = time.perf_counter()
    given = {**values, "out_path": str(out_path)}
    with importing_this_checkout(), tempfile.NamedTemporaryFile(prefix="imports-") as file:
        imports = Path(file.name)
        pace = _Pace(notebook, share)
        run = partial(_run_cells, notebook, executed, given, cell_timeout_s, kernel, imports, pace)
        failure = _failure(run, cell_timeout_s)
        elsewhere = foreign(imports.read_text().splitlines())
    seconds = time.perf_counter() - began - pace.waited_s
    if elsewhere:
        problem = f"its kernel imported {elsewhere}, not this checkout"
        return NotebookRun(notebook.name, executed, seconds, None, problem, INVALID)
    if failure is None:
        return _read_back(notebook, executed, out_path, seconds)
    problem, exit_code = failure
    return NotebookRun(notebook.name, executed, seconds, None, problem, exit_code)


class _Pace:
    """Shares the machine once the last cell tagged `timed` is done; without one, never."""

    def __init__(self, notebook: Notebook, share: Callable[[], float]) -> None:
        cells = json.loads(notebook.path.read_text(encoding="utf-8"))["cells"]
        self._timed = sum(_is_timed(cell) for cell in cells)
        self._share = share if self._timed else None
        self.waited_s = 0.0

    def before(self, cell: Mapping[str, Any], **_: object) -> None:
        """Called by nbclient before each cell of code."""
        if _is_timed(cell):
            self._timed -= 1
        elif not self._timed and self._share:
            self.waited_s, self._share = self._share(), None


def _is_timed(cell: Mapping[str, Any]) -> bool:
    return TIMED in cell["metadata"].get("tags", ())


def _failure(run: Callable[[], None], cell_timeout_s: float) -> tuple[str, int] | None:
    """None when every cell ran; else what went wrong, and the exit code that is due."""
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    try:
        run()
    except PapermillExecutionError as error:
        return _cell_failure(error.ename, error.evalue, error.exec_count)
    except DeadKernelError:
        return "its kernel died, perhaps for want of memory", INFRASTRUCTURE
    except CellTimeoutError:
        return f"a cell took longer than {cell_timeout_s:g} s and was stopped", INFRASTRUCTURE
    except (NoSuchKernel, RuntimeError) as error:
        return f"its kernel did not start: {_first_line(str(error))}", INFRASTRUCTURE
    return None


def _run_cells(
    notebook: Notebook,
    executed: Path,
    values: Mapping[str, Value],
    cell_timeout_s: float,
    kernel: str,
    imports: Path,
    pace: _Pace,
) -> None:
    from papermill.execute import execute_notebook

    logging.getLogger("papermill").setLevel(logging.ERROR)
    bar = {"desc": notebook.name, "file": sys.stderr, "disable": None, "leave": False}
    execute_notebook(
        str(notebook.path),
        str(executed),
        parameters=dict(values),
        kernel_name=kernel,
        progress_bar=bar,
        resources={"metadata": {"path": str(notebook.path.parent)}},  # of the kernel alone
        start_timeout=START_TIMEOUT_S,
        execution_timeout=cell_timeout_s,
        on_cell_start=pace.before,
        extra_arguments=[
            "--IPKernelApp.log_level=50",
            "--IPKernelApp.capture_fd_output=False",  # for progress to reach the terminal
            f"--IPKernelApp.exec_lines={_TELL_IMPORTS.format(file=str(imports))}",
        ],
    )


@contextmanager
def importing_this_checkout() -> Iterator[None]:
    """An environment that names this checkout to the kernels that start meanwhile.

    Within another one it changes nothing, so that notebooks may run in several threads.
    """
    before = os.environ.get("PYTHONPATH", "")
    if before.split(os.pathsep)[0] == str(ROOT):
        yield
        return
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), before)))
    try:
        yield
    finally:
        if before:
            os.environ["PYTHONPATH"] = before
        else:
            del os.environ["PYTHONPATH"]


def _cell_failure(name: str, text: str, count: int | None) -> tuple[str, int]:
    """A cell's exception; our own errors keep their exit code."""
    kind = getattr(errors, name, None)
    ours = isinstance(kind, type) and issubclass(kind, RagError)
    code = kind.exit_code if ours and kind is not None else INVALID
    where = f"cell [{count}] failed" if count else "a cell failed"
    return f"{where}: {name}: {_first_line(text)}", code


def _read_back(notebook: Notebook, executed: Path, out_path: Path, seconds: float) -> NotebookRun:
    try:
        result = read_result(out_path)
    except InvalidInput as error:
        return NotebookRun(notebook.name, executed, seconds, None, str(error), INVALID)
    if not result.n:
        problem = "nothing was measured (n = 0)"
        return NotebookRun(notebook.name, executed, seconds, result, problem, INVALID)
    return NotebookRun(notebook.name, executed, seconds, result)


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0][:300]
