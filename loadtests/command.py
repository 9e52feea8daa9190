"""The command line of the load tests: run one, join one, list them, judge one again."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from loadtests.record.figures import figures
from loadtests.record.machine import ROOT
from loadtests.record.objectives import judge, read_objectives
from loadtests.record.record import read_record
from loadtests.record.summary import print_summary, write_summary
from loadtests.rig.child import ChildFailed
from loadtests.rig.load_test import Plan, run_load
from loadtests.rig.locust import SECRET, joining_command
from loadtests.traffic.shapes import SHAPES

_EXAMPLES = f"""\
examples:
  python -m loadtests run                        a minute; starts all that it needs
  python -m loadtests run --profile full         1,000 people, ten minutes, a spike
  python -m loadtests run --profile chaos        kill -9 of what it stands on, meanwhile
  python -m loadtests run --generators 2         from two processes
  python -m loadtests list                       all profiles, and what each is for
  python -m loadtests judge reports/load-…       the verdict on a run, once more

An application that runs already, perhaps elsewhere; it must take tokens of HS256 for the audience
rag_core by the issuer loadtests, signed with the secret that both know:
  {SECRET}=… python -m loadtests run --url https://rag.example.org
From several machines: the leader with --joining 2, on each of the two others
  {SECRET}=… python -m loadtests run --join LEADER

exit codes: 0 all objectives of loadtests/slo.toml are met, 1 one is not, 2 wrong input,
3 invalid: the generator was saturated, 4 a process did not start or broke"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except ChildFailed as error:
        print(f"error: {error}", file=sys.stderr)
        return 4
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("stopped", file=sys.stderr)
        return 130


def _run(options: argparse.Namespace) -> int:
    secret = os.environ.get(SECRET, "")
    if options.join:
        command = joining_command(options.join)
        os.chdir(ROOT)
        os.execv(command[0], command)
    if options.url and len(secret) < 32:
        print(f"error: --url needs {SECRET}, of 32 characters or more", file=sys.stderr)
        return 2
    shape, folder = SHAPES[options.profile], _new_folder(options.out, options.profile)
    print(f"{shape.story} {shape.seconds:g} s, after everyone has their notes.", file=sys.stderr)
    plan = Plan(
        shape=shape, folder=folder, seed=options.seed, url=options.url.rstrip("/"), secret=secret,
        generators=options.joining or options.generators, joining=bool(options.joining),
    )  # fmt: skip
    asyncio.run(_until_told(plan))
    return _verdict(folder)


async def _until_told(plan: Plan) -> None:
    """SIGTERM ends it as Ctrl-C does: what it started is stopped."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await run_load(plan)


def _judge(options: argparse.Namespace) -> int:
    if not (options.folder / "run.json").is_file():
        print(f"error: {options.folder} holds no run.json of a load test", file=sys.stderr)
        return 2
    return _verdict(options.folder)


def _verdict(folder: Path) -> int:
    """Judge the run in `folder`: the tables on the terminal, summary.json, the exit code."""
    record = read_record(folder)
    found = figures(record)
    verdict = judge(read_objectives(record.shape.name, outside=record.outside), found)
    write_summary(record, found, verdict, folder)
    print_summary(record, found, verdict, folder)
    return verdict.exit_code


def _list(options: argparse.Namespace) -> int:
    for shape in SHAPES.values():
        people = f"{shape.people} people, {shape.seconds:g} s"
        print(f"{shape.name:<16}{people:<22}{shape.story}")
    return 0


def _new_folder(reports: Path, profile: str) -> Path:
    """A folder that no run has used."""
    name = f"load-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{profile}"
    folder = reports.absolute() / name
    for number in range(2, 100):
        if not folder.exists():
            break
        folder = folder.with_name(f"{name}-{number}")
    folder.mkdir(parents=True)
    return folder


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m loadtests",
        description="How much the application holds, and what it does when what it stands on dies.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="run one load test, and judge it")
    _add_run_options(run)
    run.set_defaults(command=_run)
    again = commands.add_parser("judge", help="judge a run once more, by the slo.toml of today")
    again.add_argument("folder", type=Path, help="reports/load-…")
    again.set_defaults(command=_judge)
    commands.add_parser("list", help="the profiles").set_defaults(command=_list)
    return parser


def _add_run_options(run: argparse.ArgumentParser) -> None:
    run.add_argument("--profile", choices=sorted(SHAPES), default="smoke", help="default: smoke")
    run.add_argument("--seed", type=int, default=0, help="of who sends what when")
    run.add_argument("--generators", type=int, default=1, metavar="N", help="processes that send")
    run.add_argument("--joining", type=int, default=0, metavar="N", help="wait for others to send")
    run.add_argument("--join", default="", metavar="LEADER", help="send for a load led elsewhere")
    run.add_argument("--url", default="", help="an application that runs already")
    run.add_argument("--out", type=Path, default=ROOT / "reports", help="default: reports")
