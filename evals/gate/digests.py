"""Digests of notebooks: the figures that the same code gives on any machine, as JSON."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from evals.project import GOLDEN, NOTEBOOKS
from evals.results.result import NotebookResult, read_result
from rag_core.errors import InvalidInput

if TYPE_CHECKING:
    import nbformat

DIGESTS = GOLDEN / "baseline" / "digests"
STABLE = ("06_safety", "07_validity")
"""Notebooks whose figures rest on no time, no LLM, no other notebook and no HNSW graph, which is
built in parallel."""

WITHIN = 1e-3
"""Share by which a figure may differ: a vector differs in its sixth digit from machine to machine,
and a hit of two that score alike may then come first."""

SAME = "every figure is as it was"

_TIMES = ("ns", "µs", "ms", "s")

_LAST_CELL = """# NBVAL_CHECK_OUTPUT
from evals.gate.digests import compared

print(compared({name!r}, out))"""

Digest = Mapping[str, float | int | None]


def digest(result: NotebookResult) -> dict[str, float | int | None]:
    """Values and counts of the headlines, by name; none of a time."""
    figures: dict[str, float | int | None] = {"n": result.n}
    for headline in result.headlines:
        if headline.unit not in _TIMES:
            figures[headline.name] = headline.value
            figures[f"{headline.name}, n"] = headline.n
            figures[f"{headline.name}, unscored"] = headline.unscored
    return figures


def compared(name: str, out: Path, references: Path = DIGESTS) -> str:
    """What a notebook's last cell prints: `SAME`, or each figure that differs, a line each.

    Raises:
        InvalidInput: there is no reference, or the notebook wrote no result.
    """
    before, after = read_digest(name, references), digest(read_result(out))
    return "\n".join(differences(before, after)) or SAME


def differences(before: Digest, after: Digest) -> list[str]:
    """A line a figure that is missing, new, or further away than `WITHIN`."""
    names = sorted(before.keys() | after.keys())
    return [
        f"{name}: {before.get(name, 'missing')} → {after.get(name, 'missing')}"
        for name in names
        if name not in before or name not in after or not _near(before[name], after[name])
    ]


def read_digest(name: str, references: Path = DIGESTS) -> Digest:
    """The reference of a notebook.

    Raises:
        InvalidInput: there is none.
    """
    path = references / f"{name}.json"
    try:
        found: Digest = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(
            str(path), f"cannot be read: {error.strerror}", "python -m evals digests --run DIR"
        ) from error
    return found


def write_references(run: Path, references: Path = DIGESTS) -> list[Path]:
    """Write the digest of each stable notebook that is in a run; the files written.

    Raises:
        InvalidInput: the run has none of them.
    """
    results = [run / f"{name}.json" for name in STABLE if (run / f"{name}.json").is_file()]
    if not results:
        raise InvalidInput("--run", f"{run} has no result of {', '.join(STABLE)}")
    references.mkdir(parents=True, exist_ok=True)
    for path in results:
        text = json.dumps(digest(read_result(path)), indent=1, ensure_ascii=False)
        (references / path.name).write_text(text + "\n", encoding="utf-8")
    return [references / path.name for path in results]


def write_copies(folder: Path, notebooks: Path = NOTEBOOKS) -> list[Path]:
    """Write each stable notebook with a last cell whose output is `SAME`; the files written."""
    import nbformat

    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in STABLE:
        notebook = nbformat.read(notebooks / f"{name}.ipynb", as_version=4)
        out = (folder / f"{name}.json").absolute()
        made = with_check(notebook, name, {"profile": "smoke", "out_path": str(out)})
        written.append(folder / f"{name}.ipynb")
        nbformat.write(made, written[-1])
    return written


def with_check(
    notebook: nbformat.NotebookNode, name: str, values: Mapping[str, str]
) -> nbformat.NotebookNode:
    """A copy with these values below its parameters, and the last cell that compares."""
    import nbformat.v4 as v4

    made = copy.deepcopy(notebook)
    place = next(
        at for at, cell in enumerate(made.cells) if "parameters" in cell.metadata.get("tags", ())
    )
    lines = "\n".join(f"{each} = {value!r}" for each, value in values.items())
    made.cells.insert(place + 1, v4.new_code_cell(lines))
    output = v4.new_output("stream", name="stdout", text=SAME + "\n")
    source = _LAST_CELL.format(name=name)
    # nbval takes outputs of a cell without a count for left over by mistake.
    made.cells.append(v4.new_code_cell(source, outputs=[output], execution_count=1))
    return made


def _near(before: float | int | None, after: float | int | None) -> bool:
    if before is None or after is None:
        return before is after
    return math.isclose(before, after, rel_tol=WITHIN, abs_tol=1e-9)
