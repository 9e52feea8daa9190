"""The command line: migrate, ingest, ask, delete, bundle. See `python -m rag_core --help`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from rag_core.errors import RagError
from rag_core.settings import Settings, load_settings

_EXAMPLES = """\
examples:
  python -m rag_core ingest golden/notes/golden-law.jsonl --user golden-law
  python -m rag_core ask --user golden-law "Why was Cain's offering rejected?"
  python -m rag_core ask --user golden-law --json "What does the rainbow stand for?"

Settings come from RAG_* variables, or from a file such as .env.development given by --env.
Without RAG_DATABASE_URL an embedded Postgres under RAG_HOME (.rag) is started and stopped.

exit codes: 0 done, 1 unexpected, 2 wrong input, 3 wrong setting, 4 a server cannot be reached
"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    parsed = _parser().parse_args(arguments)
    try:
        return asyncio.run(_run(parsed, load_settings(parsed.env)))
    except RagError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rag_core",
        description="Answers a person's questions from that person's own notes, with citations.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--env", type=Path, metavar="FILE", help="read RAG_* settings from FILE")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("migrate", help="bring the database to the newest schema")
    ingest = commands.add_parser("ingest", help="store the notes of a JSON-lines file")
    ingest.add_argument("file", type=Path, metavar="FILE.jsonl", help="one note a line")
    ingest.add_argument("--user", required=True, help="whose notes these are")
    ingest.add_argument(
        "--re-embed",
        action="store_true",
        help="first embed all stored notes of the user with the configured embedder",
    )
    ask = commands.add_parser("ask", help="answer a question from a user's notes")
    ask.add_argument("question", help="in quotes")
    ask.add_argument("--user", required=True, help="whose notes to answer from")
    ask.add_argument("--json", action="store_true", help="print the whole answer as JSON")
    delete = commands.add_parser("delete", help="delete a note; it is no longer found from then on")
    delete.add_argument("note", help="id of the note")
    delete.add_argument("--user", required=True, help="whose note it is")
    bundle = commands.add_parser("bundle", help="write model and tokenizer for a lean install")
    bundle.add_argument("folder", type=Path, metavar="DIR", help="new, empty, or an older bundle")
    return parser


async def _run(parsed: argparse.Namespace, settings: Settings) -> int:
    # Imported here so that --help and mistakes answer at once.
    from rag_core import commands

    match parsed.command:
        case "migrate":
            return await commands.migrate(settings)
        case "ingest":
            return await commands.ingest(settings, parsed.file, parsed.user, parsed.re_embed)
        case "ask":
            return await commands.ask(settings, parsed.question, parsed.user, parsed.json)
        case "bundle":
            return await commands.bundle(settings, parsed.folder)
        case _:
            return await commands.delete(settings, parsed.note, parsed.user)


if __name__ == "__main__":
    sys.exit(main())
