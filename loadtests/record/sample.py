"""One request as it went, and the file that holds all of them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

SAMPLES = "samples.csv"
"""The file's name in a run's folder."""
LOST = "no reply"
"""The outcome of a request whose connection broke, or never came about."""
HITS = frozenset({"CACHED", "REVALIDATED"})
ANSWERS = frozenset({*HITS, "FRESH", "STALE", "DEGRADED", "NO_CONTEXT"})
"""Outcomes of a question that was answered."""


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One request, with the numbers that its arrival and its person had.

    `at_s` is when it was to be sent, in seconds from the load's begin; `latency_ms` runs from that
    moment to the reply's last byte, whenever it really was sent, which was `lag_ms` later.
    """

    serial: int
    """The arrival's number."""
    at_s: float
    stage: str
    name: str
    person: int
    """The person's number."""
    lag_ms: float
    latency_ms: float
    status: int
    """Of HTTP; 0 without a reply."""
    outcome: str
    """The answer's provenance, the problem's code, `saved`, `read`, or `no reply`."""
    in_time: bool
    """Whether a caller was free before its moment; else all of them were still busy."""
    right: bool
    """Whether the status is one of those that are right for it, and the reply whole."""
    first_ms: float | None = None
    """Milliseconds from `at_s` to a stream's first token."""
    pipeline_ms: float | None = None
    """Milliseconds within the application's pipeline, by its own word."""
    cost_usd: float = 0.0
    note: str = ""
    etag: str = ""

    @property
    def asked(self) -> bool:
        """Whether it is a person's question, so that objectives hold for it."""
        return self.name.startswith(("ask", "stream"))

    @property
    def hit(self) -> bool:
        """Whether its answer was made before."""
        return self.asked and self.outcome in HITS

    @property
    def answered(self) -> bool:
        """Whether it is a question that got its answer."""
        return self.asked and self.right and self.outcome in ANSWERS

    @property
    def sent_s(self) -> float:
        """When it was really sent, in seconds from the load's begin."""
        return self.at_s + self.lag_ms / 1000

    @property
    def ended_s(self) -> float:
        """When its reply was whole, in seconds from the load's begin."""
        return self.at_s + self.latency_ms / 1000


FIELDS = Sample.__struct_fields__


def write_samples(samples: Iterable[Sample], folder: Path) -> Path:
    """Write them to the run's folder, in the order in which they were to be sent."""
    path = folder / SAMPLES
    ordered = sorted(samples, key=lambda each: (each.at_s, each.serial))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(FIELDS)
        writer.writerows([_cell(value) for value in msgspec.structs.astuple(s)] for s in ordered)
    return path


def read_samples(folder: Path) -> list[Sample]:
    """Those of a run's folder.

    Raises:
        FileNotFoundError: the run wrote none.
        ValueError: the file is not of this form.
    """
    with (folder / SAMPLES).open(newline="", encoding="utf-8") as file:
        rows = [{k: v for k, v in row.items() if v != ""} for row in csv.DictReader(file)]
    return msgspec.convert(rows, list[Sample], strict=False)


def judged(samples: Sequence[Sample], stages: Iterable[str]) -> list[Sample]:
    """Those of the named stages."""
    names = frozenset(stages)
    return [each for each in samples if each.stage in names]


def _cell(value: object) -> object:
    return f"{value:.6g}" if isinstance(value, float) else "" if value is None else value
