"""Does a cache ever serve changed evidence? Many workers, a few users, and everything that fails.

Clients ask, edit, import and delete at random through eight pipelines with different settings, over
a real Postgres and two real Valkeys, while sessions are ended, connections cut and held, readers
and writers paused, a replica is promoted and the old primary still written to, keys are lost and
old snapshots restored, clocks set and notes changed by plain SQL. Every answer says which versions
of which notes it rests on; all of them must have been committed at one moment while the question
was being answered, or, for a worker that may be late, no longer ago than that.

    python -m evals.consistency --steps 100000 --seed 1
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from evals.consistency.faults import Fault
from evals.consistency.result import TrialResult
from evals.consistency.trial import try_to_break
from evals.consistency.workers import SETTINGS
from evals.results.numbers import number
from rag_core.embedded import embedded_stack


def main(arguments: list[str] | None = None) -> int:
    """Print what a trial saw; exit code 1 for what must not be, 3 for a trial that tried little."""
    parser = argparse.ArgumentParser(prog="python -m evals.consistency", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--break", dest="fault", choices=[str(fault) for fault in Fault], default=str(Fault.NONE),
        help="break this rule on purpose, and stop when that is found",
    )  # fmt: skip
    parsed = parser.parse_args(arguments)
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # that connections break is meant
    result = asyncio.run(_try(parsed.steps, parsed.seed, Fault(parsed.fault)))
    print(json.dumps(_figures(result), indent=2))
    print(_sentence(result, parsed.seed, Fault(parsed.fault)))
    if result.wrong:
        return 1
    if untried := result.untried():
        print(f"That shows little: never happened: {', '.join(untried)}. Take more --steps.")
        return 3
    return 0


async def _try(steps: int, seed: int, fault: Fault) -> TrialResult:
    with TemporaryDirectory(prefix="rag-consistency-") as home:
        async with embedded_stack(Path(home), valkey=False) as urls:
            return await try_to_break(urls.database_url, steps=steps, seed=seed, fault=fault)


def _figures(result: TrialResult) -> dict[str, object]:
    return {
        "steps": result.steps,
        "seconds": round(result.seconds, 1),
        "answers": result.provenances,
        "answers of workers that may be late": result.late,
        "requests that failed": result.unavailable,
        "events": dict(sorted(result.events.items())),
        "answers on changed evidence": result.changed_evidence,
        "answers across users": result.other_user,
        "edits undone": result.impossible,
        "examples": result.examples,
    }


def _sentence(result: TrialResult, seed: int, fault: Fault) -> str:
    broken = "" if fault is Fault.NONE else f", with '{fault}' broken on purpose"
    return (
        f"{result.changed_evidence} answers on changed evidence, {result.other_user} across users"
        f" and {result.impossible} edits undone in {result.steps:,} steps{broken}, seed {seed}:"
        f" {len(SETTINGS)} workers over one Postgres and two Valkeys, {result.served:,} strict"
        f" answers served without generating, {number(result.seconds, 's')}."
    )


if __name__ == "__main__":
    sys.exit(main())
