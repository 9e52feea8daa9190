"""A part of a notebook's result that another study makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from evals.results.paragraph import Paragraph
from evals.results.pictures import show
from evals.results.result import NotebookResult, Picture, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a study adds to the result of another: a sentence, pictures, tables, data by a name."""

    name: str
    verdict: str
    pictures: tuple[Picture, ...] = ()
    tables: tuple[Table, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


def with_parts(result: NotebookResult, *parts: Part) -> NotebookResult:
    """`result` with what `parts` add, behind its own; their data stands under their names."""
    return replace(
        result,
        verdict=" ".join([result.verdict, *(part.verdict for part in parts if part.verdict)]),
        pictures=(*result.pictures, *(each for part in parts for each in part.pictures)),
        tables=(*result.tables, *(each for part in parts for each in part.tables)),
        data={**result.data, **{part.name: part.data for part in parts if part.data}},
    )


def shown(part: Part, out_path: Path) -> list[Any]:
    """The sentence, pictures and tables of a part, for a notebook to display."""
    import pandas as pd

    tables = (pd.DataFrame(list(each.rows), columns=list(each.columns)) for each in part.tables)
    return [
        Paragraph(part.verdict),
        *(show(picture, out_path) for picture in part.pictures),
        *(table.style.hide(axis="index") for table in tables),
    ]
