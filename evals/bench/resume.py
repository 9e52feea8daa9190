"""Whether a run that is killed repeats what was finished, and ends as if it had not been killed."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sqlite3
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from evals.bench.figures import Figure
from evals.project import GOLDEN, ROOT
from rag_core.cli import progress_bar
from rag_core.errors import Unavailable

KILLS = 10
"""By the requirement."""

# Chosen: one user with few notes, questions between two kills, and seconds until a run hangs.
USER, MOST_BETWEEN, PATIENCE_S, POLL_S = "golden-modern", 4, 600.0, 0.02

_LOG = """
CREATE TABLE IF NOT EXISTS log AS SELECT asked, question FROM answers;
CREATE TRIGGER IF NOT EXISTS logging AFTER INSERT ON answers
    BEGIN INSERT INTO log VALUES (NEW.asked, NEW.question); END;
"""
_ALONE = ("single_note", "several_notes", "unanswerable")
_TIMES = ("latency_ms", "cpu_ms")


async def killed_run(folder: Path) -> list[Figure]:
    """A run of the quality notebook, killed with SIGKILL at random moments and begun again.

    Raises:
        Unavailable: a run hung, or failed by itself.
    """
    golden = write_golden(folder / "golden")
    asked, repeated = await _killed(folder, golden)
    began = time.perf_counter()
    resumed = await _whole(folder, golden, "resumed")
    took_s = time.perf_counter() - began
    began = time.perf_counter()
    unchanged = await _whole(folder, golden, "unchanged")
    again_s = time.perf_counter() - began
    afresh = await _whole(folder, golden, "afresh", "--again")
    differing = sum(resumed[name] != rows for name, rows in afresh.items())
    return [
        Figure("finished questions asked again", f"{repeated} of {asked}", "0", repeated == 0),
        Figure(
            "scores unlike an unbroken run's", f"{differing} of {len(afresh)} measures", "0",
            differing == 0,
        ),
        Figure("the run that went on", f"{took_s:.1f} s", ""),
        Figure("run again, unchanged", f"{again_s:.1f} s", "the same", unchanged == resumed),
    ]  # fmt: skip


def write_golden(folder: Path) -> Path:
    """One user of the golden folder, with the questions that need nobody else's notes."""
    (folder / "notes").mkdir(parents=True)
    questions = [
        row | {"twin": None}  # it is not among them
        for row in _rows(GOLDEN / "questions.jsonl")
        if row["user"] == USER and row["scenario"] in _ALONE
    ]
    passages = [row for row in _rows(GOLDEN / "passages.jsonl") if row["user"] == USER]
    for name, rows in (("questions", questions), ("passages", passages)):
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    notes = (GOLDEN / "notes" / f"{USER}.jsonl").read_bytes()
    (folder / "notes" / f"{USER}.jsonl").write_bytes(notes)
    return folder


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    yield from map(json.loads, path.read_text(encoding="utf-8").splitlines())


async def _killed(folder: Path, golden: Path) -> tuple[int, int]:
    """Numbers of questions that were finished before the last kill, and of those asked again."""
    rng, done = random.Random(0), 0
    with progress_bar(KILLS, "kill", "run") as bar:
        for _ in range(KILLS):
            process = await _start(folder, golden, "killed")
            done = await _until(folder, process, done + rng.randint(1, MOST_BETWEEN))
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            bar.update()
    with closing(sqlite3.connect(_kept(folder)[0])) as database:
        (asked,) = database.execute("SELECT count(*) FROM log").fetchone()
        (once,) = database.execute("SELECT count(*) FROM answers").fetchone()
    return once, asked - once


async def _until(folder: Path, process: Process, wanted: int) -> int:
    """Number of finished questions, once they are so many."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and process.returncode is None:
        if (done := _count(folder)) >= wanted:
            return done
        await asyncio.sleep(POLL_S)
    raise Unavailable(f"a run ended or hung before {wanted} questions were finished")


def _count(folder: Path) -> int:
    """Also sees to it that every answer that is kept is logged."""
    if not (files := _kept(folder)):
        return 0
    with closing(sqlite3.connect(files[0], timeout=5)) as database:
        try:
            database.executescript(_LOG)
            (count,) = database.execute("SELECT count(*) FROM answers").fetchone()
        except sqlite3.OperationalError:  # not made yet
            return 0
    return int(count)


def _kept(folder: Path) -> list[Path]:
    return list((folder / "home" / "finished").glob("*.sqlite"))


async def _whole(folder: Path, golden: Path, name: str, *options: str) -> dict[str, Any]:
    """The scores of a run that ends, by measure, without times."""
    process = await _start(folder, golden, name, *options)
    code = await asyncio.wait_for(process.wait(), PATIENCE_S)
    summaries = list((folder / name).glob("*/summary.json"))
    if code or not summaries:
        raise Unavailable(f"the run {name} ended with exit code {code}")
    summary = json.loads(summaries[0].read_text(encoding="utf-8"))
    data = summary["notebooks"]["01_quality"]["result"]["data"]
    rows = data["summary"]["rows"].items()
    return {"answers": data["answers"]} | {k: v for k, v in rows if k not in _TIMES}


async def _start(folder: Path, golden: Path, name: str, *options: str) -> Process:
    command = ["run", "--profile", "smoke", "--only", "quality", "--golden", str(golden), *options]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RAG_")}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "evals", *command, "--out", str(folder / name)),
        cwd=ROOT,
        env=environment | {"RAG_HOME": str(folder / "home"), "PYTHONPATH": str(ROOT)},
        stdout=DEVNULL,
        stderr=DEVNULL,
        start_new_session=True,
    )
