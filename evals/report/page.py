"""The report: one HTML file that needs nothing else, made from what the notebooks handed over."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evals.report.cards import cards, validity
from evals.report.changes import Changes
from evals.report.verdict import overall_verdict
from evals.results import numbers
from evals.results.notebook_run import NotebookRun
from evals.results.result import Case, Cell, Picture, Table

INDEX = "index.html"
MANY_ROWS = 12
"""Longer tables are folded."""
LONG_CHARACTERS = 26
"""Texts up to this length, such as a user's name or a date, stay on one line."""
TEMPLATES = Path(__file__).parent / "templates"


def write_report(
    runs: Sequence[NotebookRun],
    manifest: Mapping[str, Any],
    folder: Path,
    *,
    commit: str,
    changes: Changes,
) -> Path:
    """Write `index.html` to `folder`, where the pictures and executed notebooks lie."""
    page = folder / INDEX
    text = render(runs, manifest, folder, commit=commit, changes=changes)
    page.write_text(text, encoding="utf-8")
    return page


def render(
    runs: Sequence[NotebookRun],
    manifest: Mapping[str, Any],
    folder: Path,
    *,
    commit: str,
    changes: Changes,
) -> str:
    """The page; every text that came from notes, questions or answers is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= _FILTERS | {"data_uri": lambda name: data_uri(folder / name)}
    environment.globals |= _GLOBALS | {
        "exists": lambda name: (folder / name).is_file(),
        "validity": validity(runs),
    }
    return environment.get_template("page.html").render(
        verdict=overall_verdict(runs),
        groups=cards(runs),
        changes=changes,
        runs=runs,
        manifest=manifest,
        commit=commit,
    )


def data_uri(path: Path) -> str:
    """A picture's bytes in the page itself, so that the page can be sent alone."""
    kind = "svg+xml" if path.suffix == ".svg" else path.suffix.lstrip(".")
    return f"data:image/{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def alt(picture: Picture) -> str:
    """What is seen in a picture, in words."""
    return picture.alt or f"{picture.title} {picture.caption}".strip()


def kinds(table: Table) -> list[str]:
    """How each column is set: numbers to the `r`ight, `short` texts on one line, `long` ones."""
    return [_kind([row[column] for row in table.rows]) for column in range(len(table.columns))]


def facets(cases: Sequence[Case]) -> list[tuple[str, list[str]]]:
    """What cases can be picked by, and the values of each, in the order of the first case."""
    pairs = [pair for case in cases for pair in case.facets]
    return [
        (name, sorted({value for other, value in pairs if other == name}))
        for name in dict.fromkeys(name for name, _ in pairs)
    ]


def _kind(cells: Sequence[Cell]) -> str:
    values = [value for value in cells if value is not None]
    if values and not any(isinstance(value, str) for value in values):
        return "r"
    return "long" if any(len(str(value)) > LONG_CHARACTERS for value in values) else "short"


def _preformatted(value: Cell) -> bool:
    return isinstance(value, str) and "\n" in value


_FILTERS = {
    "alt": alt,
    "cell": numbers.cell,
    "facets": facets,
    "interval": numbers.interval,
    "kinds": kinds,
    "reasons": numbers.reasons,
    "sample": numbers.sample,
    "split": numbers.split,
    "target": numbers.target,
}
_GLOBALS = {
    "number": numbers.number,
    "preformatted": _preformatted,
    "many_rows": MANY_ROWS,
}
