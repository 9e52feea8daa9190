"""Takes measurements into cells, in less than a microsecond each."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from itertools import product

from rag_core.adapters.telemetry.cells import Cells, Row
from rag_core.adapters.telemetry.measure import OTHER, Label, Measure
from rag_core.adapters.telemetry.recorder import Add
from rag_core.clock import Clock

Take = Callable[[float], None]
"""Takes a number into one series."""


class CellMeter:
    """Meter that keeps to the labels' values, whatever it is told."""

    def __init__(self, cells: Cells, clock: Clock) -> None:
        self._cells, self._clock = cells, clock

    def instrument(self, measure: Measure) -> Add:
        """See `Meter`; counters whose labels' values are known are there from the start, with 0.

        So their first increase is one, for who looks at rates.
        """
        named = [set(label.values) for label in measure.labels]
        takes: dict[tuple[str, ...], Take] = {}

        def begun(values: tuple[str, ...]) -> Take:
            labels = zip(measure.labels, named, values, strict=True)
            found = [_folded(label, names, value) for label, names, value in labels]
            folded = tuple(value for value in found if value is not None)
            if len(folded) < len(found):
                return _nothing
            if folded not in takes:
                takes[folded] = self._take(measure, self._cells.begin(measure, folded))
            return takes[folded]

        def add(number: float, *values: str) -> None:
            take = takes.get(values)
            (begun(values) if take is None else take)(number)

        if measure.kind in ("counter", "level"):
            for values in product(*(_known(label) for label in measure.labels)):
                begun(values)
        return add

    def _take(self, measure: Measure, at: int) -> Take:
        row = self._cells.row
        match measure.kind:
            case "counter" | "level":
                return _sum(row, at)
            case "gauge":
                return _last(row, at, self._clock)
            case "summary":
                return _summary(row, at)
            case "histogram":
                return _histogram(row, at, measure.buckets)


def _known(label: Label) -> tuple[str, ...]:
    if label.room:
        return ()
    return label.values if label.closed else (*label.values, OTHER)


def _folded(label: Label, named: set[str], value: str) -> str | None:
    """The value, or what stands for it where there is no room; None: there is no such value."""
    value = label.folded.get(value, str(value))
    if value in named:
        return value
    if len(named) - len(label.values) >= label.room:
        return None if label.closed else OTHER
    named.add(value)
    return value


def _nothing(number: float) -> None:
    """What no event's type allows is not counted."""


def _sum(row: Row, at: int) -> Take:
    def take(number: float) -> None:
        row[at] += number

    return take


def _last(row: Row, at: int, clock: Clock) -> Take:
    def take(number: float) -> None:
        row[at], row[at + 1] = number, clock.now()

    return take


def _summary(row: Row, at: int) -> Take:
    def take(number: float) -> None:
        row[at] += 1
        row[at + 1] += number

    return take


def _histogram(row: Row, at: int, bounds: tuple[float, ...]) -> Take:
    total = at + len(bounds) + 1

    def take(number: float) -> None:
        row[at + bisect_left(bounds, number)] += 1
        row[total] += number

    return take
