"""Commands that try the pipeline: benchmarks, drills, the trial of freshness, the simulator."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from typer import Argument, Option
from typer.core import TyperCommand


def bench(
    name: Annotated[
        Literal[
            "access",
            "cache",
            "context",
            "documents",
            "embedders",
            "footprint",
            "forecast",
            "gate",
            "guard",
            "hedging",
            "http",
            "ledger",
            "limits",
            "page",
            "proxy",
            "resume",
            "search",
            "store",
            "verdicts",
        ],
        Argument(help="What of."),
    ],
    only: Annotated[
        str | None, Option(metavar="PART", help="One part; a wrong one lists all.")
    ] = None,
) -> int:
    """Measure costs on this machine, beside references.

    cache takes about two minutes, store some three, http two, context a few seconds, embedders one
    minute, gate three, resume five, guard half of one, hedging one, ledger two, limits one,
    forecast three, access some seconds, page half of one, proxy and footprint two, once the
    environments are made that they keep under .venvs; search ten for its part 10k and
    three quarters of an hour for 100k. verdicts takes half an hour: it runs the pipeline with
    planted faults, and judges each by the gate; --only makes one of them.
    Exit code 1 when a figure misses its reference.
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


class ListingDrills(TyperCommand):
    """A command whose help ends with all drills: reading them takes a second, so only there."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """All drills, after what is usual."""
        from evals.drills.command import listed

        formatter.write(f"\ndrills:\n{listed()}\n")


def drill(
    name: Annotated[str, Argument(metavar="NAME", help="One of those below, or all.")],
    profile: Annotated[
        Literal["smoke", "full", "long"],
        Option(help="smoke: a second or two of trouble each; full: 4 s; long: 12 s, one of 120."),
    ] = "smoke",
    seed: Annotated[int, Option(help="Of the questions and when they come.")] = 0,
    out: Annotated[
        Path | None, Option(metavar="DIR", help="For the timelines and the result.")
    ] = None,
) -> int:
    """Let a provider or a server fail, and see what it costs.

    Golden questions are asked of the deployed pipeline, before a stub provider, a Valkey and a
    Postgres of its own, while one of them is in trouble and afterwards. Every number below is held
    against what came of it; exit code 1 when one was not as supposed. all takes 45 s, in the
    profile long seven minutes.
    """
    from evals.drills.command import run_drills

    return run_drills(name, profile, seed, out.absolute() if out else None)


def outages(
    users: Annotated[int, Option(min=1, help="Who ask ten questions a day each.")] = 1000,
    days: Annotated[int, Option(min=1, max=31)] = 7,
    seed: Annotated[int, Option(min=0)] = 0,
    out: Annotated[
        Path | None, Option(metavar="DIR", help="For the picture.  [default: reports/outages]")
    ] = None,
) -> int:
    """Replay a week of users before a provider that fails twice.

    Pipeline, caches, breaker, ladder and ledger are the deployed ones, with the settings of the
    environment, such as RAG_BUDGET_ALL_USD or RAG_BREAKER_OPEN_S. The time is simulated, and so is
    the provider: a call takes 3.5 s (median, lognormal). It is down for three hours of day 2; for
    two of day 5 it says 429, then hangs. Prints what the requests got, what it cost and how soon
    all was well again, and draws one picture. A thousand users take about two minutes; fewer ask
    so seldom that the breaker opens later. Exit code 1 for requests without an answer.
    """
    from evals.outages.command import run_outages

    return run_outages(users, days, seed, out)


def simulator() -> None:
    """Print the cache simulator's figures beside references.

    Hit rates on a known trace, the gaps to the closed forms, and its speed.
    """
    from evals.simulation.agreement import print_agreement

    print_agreement()
