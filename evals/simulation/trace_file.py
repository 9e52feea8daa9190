"""Recorded traffic on disk: JSONL or Parquet, one row per request or edit.

Columns: `time` (seconds, any origin), `user`, `question` (both text or whole numbers; the app
writes hashes), and optionally `kind` ("request" when absent, or "edit") and `note` (of an edit).
Rows may be out of order, as several workers write them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from evals.simulation.traffic import UNKNOWN_NOTE, Ints, Traffic
from rag_core.adapters.documents import RowReader
from rag_core.errors import InvalidInput

Name = Annotated[str, msgspec.Meta(min_length=1)] | int


class _Row(msgspec.Struct, frozen=True):
    time: float
    user: Name
    question: Name | None = None
    note: Name | None = None
    kind: Literal["request", "edit", ""] | None = None

    def __post_init__(self) -> None:
        if not math.isfinite(self.time):
            raise ValueError(f"time must be a number of seconds, got {self.time}")


_ROWS = RowReader(_Row, fixes={"time": "Write seconds, from any origin"})


@dataclass(frozen=True, slots=True)
class _Event:
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
    rows = list(_events(path, "request"))
    if edits is not None:
        rows += _events(edits, "edit")
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


def _events(path: Path, default_kind: str) -> Iterator[_Event]:
    for place, row in _rows(path):
        is_edit = (row.kind or default_kind) == "edit"
        subject = row.note if is_edit else row.question
        if subject is None and not is_edit:
            raise InvalidInput(f"{place}, field question", "is missing in a request")
        yield _Event(row.time, str(row.user), "" if subject is None else str(subject), is_edit)


def _rows(path: Path) -> Iterator[tuple[str, _Row]]:
    match path.suffix:
        case ".jsonl":
            return _ROWS.read(path)
        case ".parquet":
            return _parquet(path)
        case _:
            raise _unknown_format(path)


def _unknown_format(path: Path) -> InvalidInput:
    return InvalidInput(
        str(path), f"unknown trace format {path.suffix!r}", "Name it .jsonl or .parquet"
    )


def _parquet(path: Path) -> Iterator[tuple[str, _Row]]:
    try:
        with path.open("rb") as file:
            table = pq.read_table(file)
    except OSError as error:
        raise InvalidInput(str(path), f"cannot be read: {error.strerror}") from error
    except pa.ArrowInvalid as error:
        raise InvalidInput(str(path), "not a Parquet file", "Write it again") from error
    records = (record for batch in table.to_batches() for record in batch.to_pylist())
    for number, record in enumerate(records, start=1):
        where = f"{path} row {number}"
        yield where, _ROWS.convert(record, where)


def _traffic(rows: Sequence[_Event]) -> Traffic:
    requests, edits = ([row for row in rows if row.is_edit is which] for which in (False, True))
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
