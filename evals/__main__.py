"""The command line of the evals. See `python -m evals --help`."""

from __future__ import annotations

import sys

from evals.commands.gating import GateCommand, digests, gate, probe
from evals.commands.golden_data import build_golden, feedback, scaffold, validate
from evals.commands.instruments import (
    calibrate,
    claims,
    classes,
    crossover,
    fit,
    follow_ups,
    lint,
    modes,
)
from evals.commands.runs import compare, run, sweep
from evals.commands.trials import (
    ListingDrills,
    bench,
    consistency,
    drill,
    outages,
    simulator,
)
from rag_core.cli import CommandLine
from rag_core.errors import ConfigurationError

commands = CommandLine("python -m evals")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    try:
        return commands.run(arguments)
    except ModuleNotFoundError as error:
        print(f"error: {error.name} is not installed. Run: make install", file=sys.stderr)
        return ConfigurationError.exit_code


@commands.callback()
def in_checkout() -> None:
    """Measures the pipeline that is deployed, on real notes, and reports on it.

    \b
    examples:
      python -m evals run --profile smoke              all notebooks, a first look
      python -m evals run --profile full --only quality
      python -m evals run --profile smoke --parameter seed=7
      python -m evals scaffold my-golden && python -m evals run --golden my-golden
      python -m evals sweep --profile smoke            which token budgets to set
      python -m evals compare reports/RUN reports/RUN  what changed between two runs
      python -m evals gate --candidate reports/RUN     whether it may go in
      python -m evals calibrate golden/beir/henry-headings
      python -m evals modes golden
      python -m evals crossover --write .env.production
      python -m evals claims
      python -m evals bench cache --only frozen
      python -m evals drill provider-hangs --out reports/drills
      python -m evals fit support
      python -m evals lint

    \b
    exit codes: 0 pass, 1 a reference was missed or an answer was wrong, 2 wrong input,
    3 invalid or nothing measured, 4 a server or kernel failed; those of gate: gate --help
    """
    from evals.project import require_checkout

    require_checkout()


for command in (
    run,
    sweep,
    compare,
    probe,
    digests,
    validate,
    scaffold,
    claims,
    calibrate,
    modes,
    crossover,
    fit,
    follow_ups,
    classes,
    bench,
    consistency,
    feedback,
    outages,
    simulator,
    lint,
    build_golden,
):
    commands.command()(command)
commands.command(cls=ListingDrills)(drill)
commands.command(cls=GateCommand)(gate)


if __name__ == "__main__":
    sys.exit(main())
