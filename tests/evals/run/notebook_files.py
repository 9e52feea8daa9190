"""Small notebooks on disk, for tests of what runs and checks them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PARAMETERS = 'profile = "smoke"  # which\nout_path = ""  # where to'
WRITES = """\
from evals.results.result import NotebookResult, write_result
write_result(NotebookResult(title="Small", verdict="It ran.", n={n}), out_path)"""


def code(source: str, tags: Sequence[str] = (), **changes: Any) -> dict[str, Any]:
    """A code cell as it is committed."""
    cell: dict[str, Any] = {
        "cell_type": "code",
        "id": f"cell-{abs(hash(source)) % 10**8}",
        "metadata": {"tags": list(tags)} if tags else {},
        "source": source,
        "execution_count": None,
        "outputs": [],
    }
    return cell | changes


def markdown(source: str = "# A story") -> dict[str, Any]:
    """A Markdown cell."""
    number = abs(hash(source)) % 10**8
    return {"cell_type": "markdown", "id": f"text-{number}", "metadata": {}, "source": source}


def write_notebook(path: Path, cells: Sequence[Mapping[str, Any]]) -> Path:
    """Write a notebook of these cells."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    document = {
        "cells": list(cells),
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


def small_notebook(folder: Path, *sources: str, name: str = "01_small") -> Path:
    """A notebook with a story, the usual parameters, and a cell for each of `sources`."""
    cells = [markdown(), code(PARAMETERS, ["parameters"]), *map(code, sources)]
    return write_notebook(folder / f"{name}.ipynb", cells)
