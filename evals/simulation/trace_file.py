"""Recorded traffic on disk: JSONL or Parquet, one row per request or edit.

Columns: `time` (seconds, any origin), `user`, `question` (both text or whole numbers; the app
writes hashes), and optionally `kind` ("request" when absent, or "edit") and `note` (of an edit).
Rows may be out of order, as several workers write them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from evals.simulation.traffic import UNKNOWN_NOTE, Ints, Traffic
from rag_core.errors import InvalidInput

_SUBJECT_COLUMN = {"request": "question", "edit": "note"}


@dataclass(frozen=True, slots=True)
class _Row:
    time_s: float
    user: str
    subject: str
    """The question of a request, the note of an edit; empty where an edit names none."""
    is_edit: bool


def read_trace(path: Path, edits: Path | None = None) -> Traffic:
    """Read recorded requests from `path`, and edits from the same file or from `edits`.

    Raises:
        InvalidInput: no such file, an unknown format, no request in it, or a row that cannot be
            used; names the line (row, for Parquet) and the column.
    """
    rows = list(_rows(path, "request"))
    if edits is not None:
        rows += _rows(edits, "edit")
    if all(row.is_edit for row in rows):
        raise InvalidInput(str(path), "holds no requests", "Record some traffic first")
    return _traffic(sorted(rows, key=lambda row: row.time_s))


def write_trace(traffic: Traffic, path: Path) -> None:
    """Write requests and edits as one JSONL or Parquet file, in time order.

    Raises:
        InvalidInput: the name ends in neither .jsonl nor .parquet.
    """
    frame = _frame(traffic)
    match path.suffix:
        case ".jsonl":
            lines = (
                json.dumps({k: v for k, v in row.items() if v is not None})
                for row in frame.astype(object).where(frame.notna(), None).to_dict("records")
            )
            path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        case ".parquet":
            pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path)
        case _:
            raise _unknown_format(path)


def _rows(path: Path, default_kind: str) -> Iterator[_Row]:
    reader = _reader(path)
    if not path.is_file():
        raise InvalidInput(str(path), "no such file", "Give the path of a recorded trace")
    for place, record in reader(path):
        yield _row(place, record, default_kind)


def _reader(path: Path) -> Callable[[Path], Iterator[tuple[str, Mapping[str, object]]]]:
    readers = {".jsonl": _jsonl, ".parquet": _parquet}
    if path.suffix not in readers:
        raise _unknown_format(path)
    return readers[path.suffix]


def _unknown_format(path: Path) -> InvalidInput:
    return InvalidInput(
        str(path), f"unknown trace format {path.suffix!r}", "Name it .jsonl or .parquet"
    )


def _jsonl(path: Path) -> Iterator[tuple[str, Mapping[str, object]]]:
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            place = f"{path.name} line {number}"
            try:
                record = json.loads(line)
            except json.JSONDecodeError as error:
                raise InvalidInput(place, f"not JSON ({error.msg})") from error
            if not isinstance(record, dict):
                raise InvalidInput(place, f"must be a JSON object, got {type(record).__name__}")
            yield place, record


def _parquet(path: Path) -> Iterator[tuple[str, Mapping[str, object]]]:
    try:
        table = pq.read_table(path)
    except pa.ArrowInvalid as error:
        raise InvalidInput(str(path), "not a Parquet file", "Write it again") from error
    number = 0
    for batch in table.to_batches():
        for record in batch.to_pylist():
            number += 1
            yield f"{path.name} row {number}", record


def _row(place: str, record: Mapping[str, object], default_kind: str) -> _Row:
    kind = record.get("kind") or default_kind
    if kind not in _SUBJECT_COLUMN:
        raise InvalidInput(f"{place}, kind", f"must be request or edit, got {kind!r}")
    is_edit = kind == "edit"
    return _Row(
        time_s=_time(place, record.get("time")),
        user=_name(place, record, "user"),
        subject=_name(place, record, _SUBJECT_COLUMN[str(kind)], optional=is_edit),
        is_edit=is_edit,
    )


def _time(place: str, value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    raise InvalidInput(f"{place}, time", f"must be a number of seconds, got {value!r}")


def _name(place: str, record: Mapping[str, object], column: str, *, optional: bool = False) -> str:
    value = record.get(column)
    if value is None and optional:
        return ""
    if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
        return str(value)
    problem = "is missing" if value is None else f"must be text or a whole number, got {value!r}"
    raise InvalidInput(f"{place}, {column}", problem)


def _traffic(rows: Sequence[_Row]) -> Traffic:
    requests = [row for row in rows if not row.is_edit]
    edits = [row for row in rows if row.is_edit]
    user, user_names = _numbered([row.user for row in [*requests, *edits]])
    question, question_names = _numbered([row.subject for row in requests])
    note, _ = _numbered([row.subject for row in edits])
    unnamed = np.array([row.subject == "" for row in edits], dtype=bool)
    return Traffic(
        time_s=np.array([row.time_s for row in requests], dtype=np.float64),
        user=user[: len(requests)],
        question=question,
        edit_time_s=np.array([row.time_s for row in edits], dtype=np.float64),
        edit_user=user[len(requests) :],
        edit_note=np.where(unnamed, UNKNOWN_NOTE, note),
        user_names=user_names,
        question_names=question_names,
    )


def _numbered(names: Sequence[str]) -> tuple[Ints, tuple[str, ...]]:
    """Whole numbers for names, in order of first appearance, and the names behind them."""
    codes, unique = pd.factorize(np.array(names, dtype=object))
    return codes.astype(np.int64), tuple(map(str, unique))


def _frame(traffic: Traffic) -> pd.DataFrame:
    requests = pd.DataFrame(
        {
            "time": traffic.time_s,
            "user": _named(traffic.user, traffic.user_names),
            "kind": "request",
            "question": _named(traffic.question, traffic.question_names),
        }
    )
    edits = pd.DataFrame(
        {
            "time": traffic.edit_time_s,
            "user": _named(traffic.edit_user, traffic.user_names),
            "kind": "edit",
            "note": pd.Series(
                [None if n == UNKNOWN_NOTE else str(n) for n in traffic.edit_note], dtype=object
            ),
        }
    )
    both = pd.concat([requests, edits], ignore_index=True)
    # Edits first where times tie: a request sees the notes as they are at its time.
    return both.sort_values(["time", "kind"], kind="stable", ignore_index=True)


def _named(numbers: Ints, names: Sequence[str]) -> pd.Series[str]:
    if names:
        return pd.Series(np.asarray(names, dtype=object)[numbers], dtype=object)
    return pd.Series(numbers.astype(str), dtype=object)
