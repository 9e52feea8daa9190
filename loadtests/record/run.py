"""A run as it went: what was planned, what happened, and what was found before and after."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from loadtests.record.happened import Happened
from loadtests.record.saves import Lost
from loadtests.traffic.shape import Shape

RUN = "run.json"
"""The file's name in a run's folder."""


class Rest(msgspec.Struct, frozen=True, kw_only=True):
    """The application at rest: nobody asks. Counts are over all its processes."""

    rss_bytes: int
    fds: int
    """Number of open files and connections."""
    threads: int
    connections: int
    """Number of connections of clients."""


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """Paid calls as the provider bills them, and as the application booked them."""

    billed_calls: int
    billed_usd: float
    booked_calls: int
    booked_usd: float
    uncertain_calls: int = 0
    """Calls that were under way when the provider was killed."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A load test that was run; samples and resources stand in files beside it.

    `rest_before` and `rest_after` are None, as are `books`, where the application was not started
    by the load test, and `series` where it has no metrics.
    """

    shape: Shape
    seed: int
    began: str
    """UTC, as ISO 8601 writes it."""
    commit: str
    cpu: str
    cores: int
    generators: int
    """Number of processes that sent the load."""
    notes: int
    """Number of notes that people had before."""
    warmed: int
    """Number of questions that were asked before."""
    troubles: Sequence[Happened] = ()
    lost: Sequence[Lost] = ()
    saves: int = 0
    """Number of notes whose last save was looked for at the end."""
    rest_before: Rest | None = None
    rest_after: Rest | None = None
    books: Books | None = None
    series: int | None = None
    """Number of series at /metrics after the load."""


def write_run(run: Run, folder: Path) -> None:
    """Write it to its folder."""
    (folder / RUN).write_bytes(msgspec.json.format(msgspec.json.encode(run), indent=2))


def read_run(folder: Path) -> Run:
    """That of a folder.

    Raises:
        FileNotFoundError: there was no run in it.
        msgspec.DecodeError: the file is not of this form.
    """
    return msgspec.json.decode((folder / RUN).read_bytes(), type=Run)
