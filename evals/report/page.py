"""The report: one HTML file that needs nothing else, made from what the notebooks handed over."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evals.report.verdict import key_headlines, overall_verdict
from evals.results import numbers
from evals.results.notebook_run import NotebookRun
from evals.results.result import Cell, Picture, Table

INDEX = "index.html"
MANY_ROWS = 12
"""Longer tables are folded."""


def write_report(
    runs: Sequence[NotebookRun], manifest: Mapping[str, Any], folder: Path, *, commit: str
) -> Path:
    """Write `index.html` to `folder`, where the pictures and executed notebooks lie."""
    page = folder / INDEX
    page.write_text(render(runs, manifest, folder, commit=commit), encoding="utf-8")
    return page


def render(
    runs: Sequence[NotebookRun], manifest: Mapping[str, Any], folder: Path, *, commit: str
) -> str:
    """The page; every text that came from notes, questions or answers is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= _FILTERS | {"data_uri": lambda picture: data_uri(picture, folder)}
    environment.globals |= _GLOBALS | {"exists": lambda name: (folder / name).is_file()}
    return environment.get_template("template.html").render(
        verdict=overall_verdict(runs),
        key=key_headlines(runs),
        validity=validity(runs),
        runs=runs,
        manifest=manifest,
        commit=commit,
    )


def validity(runs: Sequence[NotebookRun]) -> dict[str, str]:
    """What is known of each measure's validity, a sentence each, where a notebook looked into it.

    Such a notebook has them in its result's data, as `validity`.
    """
    sentences: dict[str, str] = {}
    for run in runs:
        if run.result:
            sentences |= run.result.data.get("validity", {})
    return sentences


def data_uri(picture: Picture, folder: Path) -> str:
    """The picture's bytes in the page itself, so that the page can be sent alone."""
    path = folder / picture.file
    kind = "svg+xml" if path.suffix == ".svg" else path.suffix.lstrip(".")
    return f"data:image/{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def _numeric(table: Table, column: int) -> bool:
    """Whether a column holds numbers, and so stands to the right."""
    values: list[Cell] = [row[column] for row in table.rows if row[column] is not None]
    return bool(values) and all(isinstance(value, (int, float)) for value in values)


def _preformatted(value: Cell) -> bool:
    return isinstance(value, str) and "\n" in value


_FILTERS = {
    name: getattr(numbers, name)
    for name in ("cell", "interval", "target", "split", "reasons", "sample")
}
_GLOBALS = {
    "number": numbers.number,
    "numeric": _numeric,
    "preformatted": _preformatted,
    "many_rows": MANY_ROWS,
}
