"""The command line of the evals. See `python -m evals --help`."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from rag_core.errors import ConfigurationError, RagError

_EXAMPLES = """\
examples:
  python -m evals run --profile smoke              all notebooks, a first look
  python -m evals run --profile full --only quality
  python -m evals run --profile smoke --parameter seed=7
  python -m evals calibrate golden/beir/henry-headings
  python -m evals lint-notebooks

exit codes: 0 pass, 2 wrong input, 3 invalid or nothing measured, 4 a server or kernel failed
"""
Command = Callable[[argparse.Namespace], int]
if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    parsed = _parser().parse_args(arguments)
    command: Command = parsed.run_command
    try:
        return _in_checkout(command, parsed)
    except ModuleNotFoundError as error:
        print(f"error: {error.name} is not installed. Run: make install", file=sys.stderr)
        return ConfigurationError.exit_code
    except RagError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _in_checkout(command: Command, parsed: argparse.Namespace) -> int:
    from evals.project import require_checkout

    require_checkout()
    return command(parsed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m evals",
        description="Measures the pipeline that is deployed, on real notes, and reports on it.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_run(commands)
    _add_calibrate(commands)
    _add_lint(commands)
    return parser


def _add_run(commands: Commands) -> None:
    parser = commands.add_parser(
        "run",
        help="run the notebooks and write a report",
        description="Stores the golden notes, executes the notebooks one after the other, and "
        "writes reports/RUN/ with index.html to open, summary.json, manifest.json and the "
        "executed notebooks. Stored notes are not stored again, so a second run is quick.",
    )
    parser.add_argument(
        "--profile",
        choices=("smoke", "full"),
        default="full",
        help="smoke: without the large collections, for a first look; full: everything (default)",
    )
    parser.add_argument("--only", metavar="NAME", help="one notebook, such as quality")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where reports go (reports/)")
    parser.add_argument(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set a notebook's parameter, such as seed=7; may be repeated",
    )
    parser.add_argument(
        "--max-usd", type=float, metavar="USD", help="most that an LLM judge may cost (1.0)"
    )
    parser.set_defaults(run_command=_run)


def _run(parsed: argparse.Namespace) -> int:
    # Imported here so that --help and mistakes answer at once.
    from evals.project import NOTEBOOKS, REPORTS
    from evals.run.evaluation import RunOptions, evaluate
    from evals.run.notebooks import parse_parameter

    parameters = dict(map(parse_parameter, parsed.parameter))
    if parsed.max_usd is not None:
        parameters["max_usd"] = parsed.max_usd
    reports = (parsed.out or REPORTS).absolute()
    return evaluate(RunOptions(parsed.profile, NOTEBOOKS, reports, parsed.only, parameters))


def _add_lint(commands: Commands) -> None:
    parser = commands.add_parser(
        "lint-notebooks",
        help="check that notebooks hold no logic and nothing left from a run",
        description="Each notebook begins with Markdown, has one cell tagged 'parameters' with a "
        "comment on each line, defines no function or class, and holds no outputs.",
    )
    parser.add_argument("folder", nargs="?", type=Path, help="another folder than notebooks/")
    parser.set_defaults(run_command=_lint)


def _lint(parsed: argparse.Namespace) -> int:
    from evals.project import NOTEBOOKS
    from evals.run.notebook_lint import lint_folder

    problems = lint_folder(parsed.folder or NOTEBOOKS)
    print("\n".join(problems) or "notebooks: nothing to complain of")
    return 3 if problems else 0


def _add_calibrate(commands: Commands) -> None:
    parser = commands.add_parser(
        "calibrate",
        help="score a BEIR-layout folder through our own ingest and search",
        description="Ingests the documents of a BEIR-layout folder (corpus.jsonl, queries.jsonl, "
        "qrels/test.tsv) as notes, asks its queries, and prints nDCG@10, recall@5 and MRR@10 "
        "beside known figures. A document is one chunk of at most 256 word pieces, as published "
        "figures are made. Asking again costs no ingest.",
    )
    parser.add_argument("folder", type=Path, metavar="BEIR_DIR", help="the collection")
    parser.add_argument(
        "--system",
        choices=("exact", "hnsw", "both"),
        default="both",
        help="how to search: scan all, walk the HNSW graph, or both (default)",
    )
    parser.add_argument(
        "--chunked",
        action="store_true",
        help="also cut documents as notes are cut, and rank them by their best chunk",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.set_defaults(run_command=_calibrate)


def _calibrate(parsed: argparse.Namespace) -> int:
    # Imported here so that --help and mistakes answer at once.
    from evals.project import project_settings
    from evals.retrieval.calibrate import calibrate
    from evals.retrieval.calibration_report import as_json, as_text
    from rag_core.domain import SearchMethod

    systems = list(SearchMethod) if parsed.system == "both" else [SearchMethod(parsed.system)]
    found = asyncio.run(
        calibrate(parsed.folder, systems, project_settings(), chunked=parsed.chunked)
    )
    print(json.dumps(as_json(found), indent=2) if parsed.json else as_text(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
