"""Where numbers are counted: a row of cells in memory, or in a file that other workers can read.

One worker writes a row and never needs a lock: events are told in its event loop alone. A row's
series stand one after another in the order in which they were begun, so the list of them says
which cells are whose.
"""

from __future__ import annotations

import fcntl
import json
import mmap
import os
import secrets
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rag_core.adapters.telemetry.measure import Measure
from rag_core.adapters.telemetry.measures import RECORDED

WIDTHS = {"counter": 1, "level": 1, "gauge": 2, "summary": 2}
"""Cells of a series by kind: a gauge's hold its value and when it was set, a summary's number and
sum of what it took. A histogram's hold its buckets, each without those below, and the sum."""

_BYTES = 8


def width(measure: Measure) -> int:
    """How many cells a series of `measure` has."""
    return WIDTHS.get(measure.kind) or len(measure.buckets) + 2


CAPACITY = sum(measure.max_children * width(measure) for measure in RECORDED)
"""Cells of all series that there can be."""

_BY_NAME = {measure.name: measure for measure in RECORDED}


@dataclass(frozen=True, slots=True)
class Series:
    """What one worker has counted of a measure under these values of its labels."""

    measure: Measure
    values: tuple[str, ...]
    cells: tuple[float, ...]
    alive: bool = True
    """Whether its worker is."""


class Row(Protocol):
    """Numbers at positions from 0."""

    def __getitem__(self, at: int, /) -> float: ...

    def __setitem__(self, at: int, number: float, /) -> None: ...


class Cells(Protocol):
    """The row of one worker, and the rows of all."""

    row: Row
    """Cells that begun series may write to."""

    def begin(self, measure: Measure, values: tuple[str, ...]) -> int:
        """The position of the first cell of a new series."""
        ...

    def read(self) -> Iterable[Series]:
        """Every series of every worker."""
        ...


class MemoryCells:
    """Cells of a process that shares them with nobody."""

    def __init__(self) -> None:
        self.row: Row = [0.0] * CAPACITY
        self._begun: list[tuple[Measure, tuple[str, ...]]] = []
        self._next = 0

    def begin(self, measure: Measure, values: tuple[str, ...]) -> int:
        """See `Cells`."""
        at = self._next
        self._next += width(measure)
        self._begun.append((measure, values))
        return at

    def read(self) -> Iterable[Series]:
        """See `Cells`."""
        return list(_series(self._begun, self.row, alive=True))


class SharedCells(MemoryCells):
    """Cells of one of several workers, in a file of its own in the folder that they share.

    The worker holds a lock on its file as long as it lives, however it dies; the file stays, for
    what was counted must not be forgotten while the others go on.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        path = folder / f"{os.getpid()}-{secrets.token_hex(4)}.cells"
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        os.truncate(self._file, CAPACITY * _BYTES)
        self.row = memoryview(mmap.mmap(self._file, CAPACITY * _BYTES)).cast("d")

    def begin(self, measure: Measure, values: tuple[str, ...]) -> int:
        """See `Cells`; the series is noted at the end of the file first."""
        os.write(self._file, json.dumps([measure.name, *values]).encode() + b"\n")
        return super().begin(measure, values)

    def read(self) -> Iterable[Series]:
        """See `Cells`."""
        return [series for path in self._folder.glob("*.cells") for series in _read(path)]


def _read(path: Path) -> Iterator[Series]:
    """The series of the worker that writes to `path`, or did."""
    with path.open("rb") as file:
        alive = _locked(file.fileno())
        row = array("d", file.read(CAPACITY * _BYTES))
        lines = file.read().split(b"\n")[:-1]  # a last one without an end is being written
    begun = [(_BY_NAME[name], tuple(values)) for name, *values in map(json.loads, lines)]
    return _series(begun, row, alive=alive)


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _series(
    begun: Iterable[tuple[Measure, tuple[str, ...]]], row: Row, *, alive: bool
) -> Iterator[Series]:
    at = 0
    for measure, values in begun:
        end = at + width(measure)
        yield Series(measure, values, tuple(row[each] for each in range(at, end)), alive)
        at = end
