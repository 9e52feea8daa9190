"""A trial from the command line: its figures as JSON, and one sentence."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from tempfile import TemporaryDirectory

from evals.consistency.faults import Fault
from evals.consistency.result import TrialResult
from evals.consistency.trial import try_to_break
from evals.consistency.workers import SETTINGS
from evals.results.numbers import number
from rag_core.embedded import embedded_stack
from rag_core.errors import InvalidInput


def run_trial(steps: int, seed: int, rule: str = Fault.NONE) -> int:
    """Print what a trial saw; exit code 1 for what must not be, 3 for a trial that tried little.

    Raises:
        InvalidInput: `rule` is none that can be broken.
    """
    if rule not in set(Fault):
        raise InvalidInput("--break", f"{rule!r} is no rule", f"Rules: {', '.join(Fault)}")
    fault = Fault(rule)
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # that connections break is meant
    result = asyncio.run(_try(steps, seed, fault))
    print(json.dumps(_figures(result), indent=2))
    print(_sentence(result, seed, fault))
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
