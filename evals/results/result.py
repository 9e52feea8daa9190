"""What a notebook hands over: the contract between notebooks and the report.

A notebook builds a `NotebookResult` and writes it with `write_result(result, out_path)`; its
pictures lie beside that file. The runner reads it back with `read_result`, and the report shows
whatever it holds, so a new notebook needs no change to either.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec

from evals.measures.scores import Aggregate, Count
from evals.results.recommendation import Recommendation
from rag_core.errors import InvalidInput

Unit = Literal["share", "score", "×", "ns", "µs", "ms", "s", "bytes", "usd", "count"]
Status = Literal["good", "watch", "bad", "unknown", "plain"]
Cell = str | int | float | None
Group = Literal["answers", "safety", "speed and money"]
"""The groups of cards at the top of the report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """One number that a manager asks for, with all that is needed to believe it.

    `value`, `low`, `high`, `target` and `dev` are in `unit`; `unscored` counts questions, and
    `reasons` how many of them for each reason. `value` is None when nothing was scored. `meaning`
    is one plain sentence. `target` is what we want to reach, at least (or, where lower is better,
    at most); None where there is none. `split` names the part of the golden questions that
    `value` is of, all of them where it is empty; `dev`, in `unit`, is the value on dev beside it.

    `key` numbers count in the verdict; those of a `group` stand at the top of the report, the
    first of each group. `measure` is the measure of which the headline is the value, where it is
    that of one. A `simulated` number was not measured: `low` and `high` are its band over what is
    supposed, and `n` counts the traffics, 0 if it rests on none.

    Raises:
        ValueError: a number is not finite.
    """

    name: str
    meaning: str
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int
    unscored: int = 0
    unit: Unit = "score"
    better: Literal["higher", "lower"] = "higher"
    target: float | None = None
    key: bool = False
    split: str = ""
    dev: float | None = None
    reasons: Mapping[str, int] = field(default_factory=dict)
    simulated: bool = False
    group: Group | None = None
    measure: str = ""

    def __post_init__(self) -> None:
        for name in ("value", "low", "high", "target", "dev"):
            number = getattr(self, name)
            if number is not None and not math.isfinite(number):
                raise ValueError(f"{self.name}: {name} must be a finite number, got {number!r}")

    @property
    def status(self) -> Status:
        """`watch`: the target is missed, but lies within the interval; `plain`: there is none."""
        if self.value is None:
            return "unknown"
        if self.target is None:
            return "plain"
        if self._reaches(self.value, self.target):
            return "good"
        best = self.high if self.better == "higher" else self.low
        return "watch" if best is not None and self._reaches(best, self.target) else "bad"

    def _reaches(self, value: float, target: float) -> bool:
        return value >= target if self.better == "higher" else value <= target


@dataclass(frozen=True, slots=True)
class Picture:
    """An image file beside the result, what it shows, and how to read it.

    `alt` says in words what is seen, for those who do not see it. `narrow` is the file of the
    same picture for a telephone, with its panels below each other; empty where there is none.
    """

    file: str
    title: str
    caption: str = ""
    alt: str = ""
    narrow: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns; numbers stay numbers, the report formats them."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(
                    f"table {self.title!r}: a row has {len(row)} cells, not {len(self.columns)}"
                )


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a case: a heading and a text; `mark` colours it."""

    heading: str
    text: str
    mark: Literal["good", "bad", "plain"] = "plain"


@dataclass(frozen=True, slots=True)
class Case:
    """One example to look at, such as a badly answered question.

    `columns` are shown side by side, each a heading with blocks below it. `facets` are what a
    reader picks cases by, such as ("split", "dev"): the same names, in the same order, in all
    cases of a result. `rank` orders them, the worst lowest, such as rightness from 0 to 1.
    """

    title: str
    summary: str
    columns: tuple[tuple[str, tuple[Block, ...]], ...]
    scores: tuple[tuple[str, Cell], ...] = ()
    facets: tuple[tuple[str, str], ...] = ()
    rank: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookResult:
    """Everything the report needs of one notebook.

    `verdict` is a short paragraph computed from the data. `n` is how many things were measured; a
    run with an `n` of 0 is invalid. `facts` go to the manifest; `data` is kept for programs
    (gates, other notebooks) and is not shown. `recommendation` becomes part of `recommended.env`.
    """

    title: str
    verdict: str
    n: int
    headlines: tuple[Headline, ...] = ()
    pictures: tuple[Picture, ...] = ()
    tables: tuple[Table, ...] = ()
    cases: tuple[Case, ...] = ()
    cases_title: str = "Examples"
    facts: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    recommendation: Recommendation | None = None


def headline(
    aggregate: Aggregate | Count,
    name: str,
    meaning: str,
    *,
    unit: Unit = "share",
    better: Literal["higher", "lower"] = "higher",
    target: float | None = None,
    key: bool = False,
    group: Group | None = None,
    times: float = 1.0,
) -> Headline:
    """The headline of an aggregate or a count; `times` converts, such as to 1,000 questions.

    `target` is in `unit`.
    """
    low = high = None
    value: float | None
    if isinstance(aggregate, Count):
        value = float(aggregate.events) if aggregate.n else None
    else:
        value, low, high = (
            None if x is None else x * times
            for x in (aggregate.value, aggregate.low, aggregate.high)
        )
    return Headline(
        name=name,
        meaning=meaning,
        value=value,
        low=low,
        high=high,
        n=aggregate.n,
        unscored=aggregate.unscored,
        unit=unit,
        better=better,
        target=target,
        key=key,
        reasons=aggregate.reasons,
        group=group,
        measure=aggregate.name,
    )


def write_result(result: NotebookResult, out_path: str | Path) -> Path:
    """Write `result` as JSON, with the folders above it.

    Raises:
        InvalidInput: a picture it names is not there.
    """
    path = Path(out_path)
    _check_pictures(result, path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=2))
    return path


def read_result(path: Path) -> NotebookResult:
    """The result in `path`.

    Raises:
        InvalidInput: there is none, or it breaks the contract; names the field.
    """
    if not path.is_file():
        raise InvalidInput(
            str(path),
            "the notebook wrote no result",
            "Its last cell calls write_result(…, out_path)",
        )
    try:
        result = msgspec.json.decode(path.read_bytes(), type=NotebookResult)
    except msgspec.DecodeError as error:
        raise InvalidInput(str(path), f"is not a notebook's result: {error}") from error
    _check_pictures(result, path)
    return result


def _check_pictures(result: NotebookResult, path: Path) -> None:
    for picture in result.pictures:
        for file in filter(None, (picture.file, picture.narrow)):
            if not (path.parent / file).is_file():
                raise InvalidInput(str(path), f"names the picture {file!r}, which is not there")
