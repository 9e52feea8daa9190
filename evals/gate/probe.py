"""The probe: two checkouts timed in turn on this machine, block by block."""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from evals.datasets.golden import load
from evals.gate import timed_worker
from evals.gate.speed import PROBE, Probe, Timed
from evals.project import ROOT, project_settings
from evals.results.machine import machine
from rag_core.cli import progress_bar
from rag_core.errors import InvalidInput, Unavailable

CALLS: Mapping[str, int] = {"retrieval": 8, "FRESH": 2, "CACHED": 8}
"""Calls in a block, by source: chosen few, for what else a machine does comes and goes in seconds,
and is then the same for both of a pair."""

QUESTIONS = 20
"""Of one user: a choice, each is asked several times."""

_LINE_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is timed: two checkouts, each with the name of its commit, in so many `blocks`."""

    base: Path
    base_commit: str
    candidate_commit: str
    golden: Path
    out: Path
    blocks: int
    seed: int = 0


async def probe(asked: Asked) -> Path:
    """Time both, and write `probe.json` beside the candidate's run.

    Raises:
        InvalidInput: the base is no checkout of the project.
        Unavailable: one of them does not start, or stops.
    """
    if not (asked.base / "rag_core").is_dir():
        raise InvalidInput("--base", f"{asked.base} is no checkout", "git worktree add makes one")
    first = await asyncio.to_thread(_first_order, asked.golden)
    async with _worker(asked.base, first) as base, _worker(ROOT, first) as candidate:
        sources = await _interleaved(base, candidate, asked)
    found = Probe(
        base=asked.base_commit,
        candidate=asked.candidate_commit,
        machine=str(machine()),
        sources=sources,
    )
    asked.out.mkdir(parents=True, exist_ok=True)
    path = asked.out / PROBE
    path.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1))
    return path


def _first_order(folder: Path) -> str:
    golden = load(folder)
    user = max(golden.users, key=lambda each: len(golden.notes[each].bodies))
    questions = [q.question for q in golden.questions if q.user == user and q.answerable]
    if not questions:
        raise InvalidInput(str(folder), f"has no question with gold of {user}")
    asked = {
        "notes": str(golden.notes[user].path),
        "user": f"probe-{user}",
        "questions": questions[:QUESTIONS],
        "vectors": str(project_settings().home.absolute() / "vectors"),
    }
    return json.dumps(asked)


async def _interleaved(base: Process, candidate: Process, asked: Asked) -> dict[str, Timed]:
    """Each pair of blocks in a random order, so that neither profits from a drift."""
    rng = random.Random(asked.seed)
    blocks: dict[str, tuple[list[list[float]], list[list[float]]]] = {s: ([], []) for s in CALLS}
    with progress_bar(asked.blocks, "time both in turn", "block") as bar:
        for _ in range(asked.blocks):
            for source, calls in CALLS.items():
                for place in rng.sample((0, 1), 2):
                    worker = (base, candidate)[place]
                    blocks[source][place].append(await _ordered(worker, (source, calls)))
            bar.update()
    return {source: Timed(base=both[0], candidate=both[1]) for source, both in blocks.items()}


@asynccontextmanager
async def _worker(checkout: Path, first: str) -> AsyncIterator[Process]:
    """A process that has that checkout's code, with a home of its own there, ready to be timed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", timed_worker.__file__),
        cwd=checkout,
        env=_environment(checkout),
        stdin=PIPE,
        stdout=PIPE,
        limit=_LINE_BYTES,
    )
    try:
        print(f"{checkout}: storing notes …", file=sys.stderr)
        await _sent(process, first)
        yield process
    finally:
        if process.stdin:
            process.stdin.close()
        await process.wait()


def _environment(checkout: Path) -> dict[str, str]:
    home = str(checkout.absolute() / ".rag" / "probe")
    return {**os.environ, "PYTHONPATH": str(checkout.absolute()), "RAG_HOME": home}


async def _ordered(process: Process, order: Sequence[object]) -> list[float]:
    """Milliseconds of each call of a block."""
    milliseconds: list[float] = await _sent(process, json.dumps(order))
    return milliseconds


async def _sent(process: Process, line: str) -> list[float]:
    if process.stdin is None or process.stdout is None:
        raise Unavailable("a timed worker has no pipes")
    process.stdin.write(f"{line}\n".encode())
    reply = await process.stdout.readline()
    if not reply:
        raise Unavailable("a timed worker stopped; what it said stands above")
    found: list[float] = json.loads(reply)
    return found
