"""What processes used, second by second: CPU, memory, open files, threads."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

import msgspec

RESOURCES = "resources.csv"
"""The file's name in a run's folder."""


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What all processes of one `part` have used or hold, `at_s` after the load's begin.

    `cpu_s` sums their CPU since they started; that of processes which have ended stays counted.
    """

    at_s: float
    part: str
    """`app`, `postgres`, `redis`, `stub`, `generator`, or `machine`: all that runs on it."""
    cpu_s: float
    rss_bytes: int
    fds: int
    """Number of open files and connections."""
    threads: int
    processes: int
    busiest_cpu_s: float
    """CPU seconds of the process that has used most of it."""


MACHINE = "machine"
FIELDS = Usage.__struct_fields__


def write_resources(usages: Iterable[Usage], folder: Path) -> Path:
    """Write them to the run's folder."""
    path = folder / RESOURCES
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(FIELDS)
        writer.writerows(msgspec.structs.astuple(each) for each in usages)
    return path


def read_resources(folder: Path) -> list[Usage]:
    """Those of a run's folder.

    Raises:
        FileNotFoundError: the run wrote none.
        ValueError: the file is not of this form.
    """
    with (folder / RESOURCES).open(newline="", encoding="utf-8") as file:
        return msgspec.convert(list(csv.DictReader(file)), list[Usage], strict=False)


def cpu_between(usages: Iterable[Usage], part: str, begin_s: float, end_s: float) -> float | None:
    """CPU seconds that `part` used from `begin_s` to `end_s`; None where nobody looked."""
    seen = [(each.at_s, each.cpu_s) for each in usages if each.part == part]
    within = [(at_s, cpu_s) for at_s, cpu_s in seen if begin_s <= at_s <= end_s]
    if len(within) < 2:
        return None
    (first_s, before), (last_s, after) = within[0], within[-1]
    return (after - before) / (last_s - first_s) * (end_s - begin_s)
