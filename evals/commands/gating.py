"""Commands that block: the gate, and what it needs timed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from typer import Option, TyperException
from typer.core import TyperCommand

from rag_core.errors import InvalidInput


class Misused(InvalidInput):
    """Wrong input to the gate, whose exit code must not look like a verdict."""

    exit_code = 64


class GateCommand(TyperCommand):
    """A command whose wrong options exit with 64, as 2 is a verdict."""

    def make_context(self, *given: Any, **named: Any) -> Any:
        """See typer; a wrong option is no verdict."""
        try:
            return super().make_context(*given, **named)
        except TyperException as error:
            error.exit_code = Misused.exit_code
            raise


def gate(
    candidate: Annotated[Path, Option(metavar="DIR", help="A run, or a folder of its repeats.")],
    baseline: Annotated[
        Path | None, Option(metavar="DIR", help="Likewise.  [default: golden/baseline]")
    ] = None,
    policy: Annotated[
        Path | None, Option(metavar="FILE", help="[default: golden/gate.toml]")
    ] = None,
    without: Annotated[
        list[str] | None, Option(metavar="PART", help="Leave out speed or cost; repeatable.")
    ] = None,
    out: Annotated[
        Path | None, Option(metavar="DIR", help="For the report, instead of the candidate's.")
    ] = None,
    update_baseline: Annotated[
        bool, Option("--update-baseline", help="Write the candidate as the baseline instead.")
    ] = False,
    seed: Annotated[int, Option(help="Of the tests' random signs.")] = 0,
) -> int:
    """Say whether a change may go in, by two runs.

    Quality question by question, speed as `probe` timed it, cost and caches on the fixed trace;
    what gates, and how much worse each may become, stands in the policy with its reasons. A folder
    that holds several runs of one commit is taken as repeats. Writes gate.html, gate.md for a pull
    request and gate.xml (JUnit), whatever the verdict.

    \b
    exit codes: 0 pass, 1 regression, 2 inconclusive: too small to tell, 3 invalid: other data,
    another judge, nothing measured, 4 a server or kernel failed, 64 wrong option or folder

    \b
    examples:
      python -m evals gate --candidate reports/gate
      python -m evals gate --baseline reports/OLD --candidate reports/NEW --without speed
      python -m evals gate --candidate reports/gate --update-baseline
    """
    from evals.gate.command import COMMITTED, Asked, run_gate
    from evals.gate.command import update_baseline as write_anew
    from evals.gate.policy import POLICY

    asked = Asked(
        baseline=baseline or COMMITTED,
        candidate=candidate,
        policy=policy or POLICY,
        out=out,
        without=without or (),
        seed=seed,
    )
    try:
        return write_anew(asked) if update_baseline else run_gate(asked)
    except InvalidInput as error:
        raise Misused(error.field, error.problem, error.fix) from error


def probe(
    base: Annotated[Path, Option(metavar="DIR", help="A checkout of what to compare with.")],
    out: Annotated[Path, Option(metavar="DIR", help="The candidate's run, for probe.json.")],
    blocks: Annotated[int, Option(min=10, help="Pairs of blocks; more, narrower.")] = 120,
    golden: Annotated[
        Path | None, Option(metavar="DIR", help="Whose notes and questions.  [default: golden]")
    ] = None,
    seed: Annotated[int, Option(help="Of the order of the blocks.")] = 0,
) -> None:
    """Time this checkout and another in turn.

    Each runs in a process of its own, over a Postgres of its own, on the notes of one golden user;
    blocks of searches, of answers made and of answers cached alternate at random. Writes probe.json
    for the gate. Two minutes, and one more the first time.

    \b
    examples:
      git worktree add build/base origin/main
      python -m evals probe --base build/base --out reports/RUN
    """
    import asyncio

    from evals.gate.probe import Asked
    from evals.gate.probe import probe as run_probe
    from evals.project import GOLDEN, ROOT
    from evals.run.manifest import revision

    asked = Asked(
        base=base,
        base_commit=revision(base).full,
        candidate_commit=revision(ROOT).full,
        golden=golden or GOLDEN,
        out=out,
        blocks=blocks,
        seed=seed,
    )
    print(f"wrote {asyncio.run(run_probe(asked))}")


def digests(
    copies: Annotated[
        Path | None, Option(metavar="DIR", help="Write notebooks there that nbval can run.")
    ] = None,
    run: Annotated[
        Path | None, Option(metavar="DIR", help="Write the references anew, from this run.")
    ] = None,
) -> int:
    """Check notebooks whose figures do not depend on the machine.

    References are the headlines of a smoke run in golden/baseline/digests, without times. With
    --copies, each such notebook is written with its parameters and a last cell that compares what
    it measured with its reference, within a tolerance, for pytest --nbval-lax. With --run, the
    references are written anew.
    """
    from evals.gate.digests import write_copies, write_references

    if run is not None:
        written = write_references(run)
    elif copies is not None:
        written = write_copies(copies)
    else:
        raise Misused("digests", "nothing is asked for", "Give --copies DIR or --run DIR")
    print("\n".join(f"wrote {path}" for path in written))
    return 0
