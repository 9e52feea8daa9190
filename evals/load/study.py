"""Running a load test, or reading back one that was run, and its verdict."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from evals.project import ROOT
from loadtests.record.figures import figures
from loadtests.record.objectives import Verdict, judge, read_objectives
from loadtests.record.record import Record, read_record
from rag_core.errors import InvalidInput, Unavailable

PROFILES = {"smoke": "smoke"}
"""The load test for each profile of the evals; any other profile takes that of the capacity."""
CAPACITY = "capacity"
_JUDGED = (0, 1, 3)  # the exit codes of a load test that came to its end


@dataclass(frozen=True)
class LoadRun:
    """A load test that was run, and where it lies."""

    record: Record
    figures: dict[str, float | None]
    verdict: Verdict
    folder: Path


def study(profile: str, reports: Path, *, run: str = "", seed: int = 0) -> LoadRun:
    """Run the load test of a profile in processes of its own, or read the one in the folder `run`.

    Raises:
        InvalidInput: the folder holds no load test.
        Unavailable: a server or the generator did not start, or broke.
    """
    folder = ROOT / run if run else _run(PROFILES.get(profile, CAPACITY), reports, seed)
    return read(folder)


def read(folder: Path) -> LoadRun:
    """The load test in this folder, judged by the objectives of today.

    Raises:
        InvalidInput: it holds none.
    """
    try:
        record = read_record(folder)
    except (FileNotFoundError, ValueError) as error:
        raise InvalidInput(str(folder), f"holds no load test: {error}", "Run: make load") from None
    found = figures(record)
    verdict = judge(read_objectives(record.shape.name, outside=record.outside), found)
    return LoadRun(record, found, verdict, folder)


def _run(profile: str, reports: Path, seed: int) -> Path:
    """Locust changes the process that imports it: it is kept out of the kernel's."""
    before = set(reports.glob("load-*"))
    arguments = ("run", "--profile", profile, "--seed", str(seed), "--out", str(reports))
    command = (sys.executable, "-m", "loadtests", *arguments)
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    made = sorted(set(reports.glob("load-*")) - before)
    if done.returncode not in _JUDGED or not made:
        raise Unavailable(f"the load test ended with exit code {done.returncode}", "See above")
    return made[-1]
