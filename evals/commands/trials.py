"""Commands that try the caches and the store: benchmarks, the trial, the simulator."""

from __future__ import annotations

from typing import Annotated, Literal

from typer import Argument, Option


def bench(
    name: Annotated[Literal["cache", "store", "embedders"], Argument(help="What of.")],
    only: Annotated[
        str | None, Option(metavar="PART", help="One part; a wrong one lists all.")
    ] = None,
) -> int:
    """Measure costs on this machine, beside references.

    cache takes about two minutes, store some three, embedders one. Exit code 1 when a figure misses
    its reference.
    """
    from evals.bench.command import run_benches

    return run_benches(name, only)


def consistency(
    steps: Annotated[int, Option(min=1)] = 100_000,
    seed: int = 1,
    rule: Annotated[
        str, Option("--break", metavar="RULE", help="Break it on purpose; a wrong one lists all.")
    ] = "nothing",
) -> int:
    """Try to make the caches serve changed evidence.

    Clients ask, edit, import and delete at random through eight pipelines with different settings,
    over a real Postgres and two real Valkeys, while sessions are ended, connections cut and held,
    readers and writers paused, a replica is promoted and the old primary still written to, keys are
    lost and old snapshots restored, clocks set and notes changed by plain SQL. Every answer says
    which versions of which notes it rests on; all of them must have been committed at one moment
    while the question was being answered, or, for a worker that may be late, no longer ago than
    that. Exit code 1 for what must not be, 3 for a trial that tried little.

    With a RULE broken, such as 'late epoch', it stops when that is found.
    """
    from evals.consistency.command import run_trial

    return run_trial(steps, seed, rule)


def simulator() -> None:
    """Print the cache simulator's figures beside references.

    Hit rates on a known trace, the gaps to the closed forms, and its speed.
    """
    from evals.simulation.agreement import print_agreement

    print_agreement()
