"""The command line; see `python -m rag_core --help`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from typer import Context, Option

from rag_core.cli import jobs, keys
from rag_core.cli.ask import ask
from rag_core.cli.bundle import bundle
from rag_core.cli.chat import chat
from rag_core.cli.command_line import Command, CommandLine
from rag_core.cli.costs import costs
from rag_core.cli.database import index, migrate
from rag_core.cli.doctor import doctor
from rag_core.cli.embedded import embedded
from rag_core.cli.ingest import ingest
from rag_core.cli.notes import delete, export, list_notes, purge, show
from rag_core.cli.re_embed import re_embed
from rag_core.cli.search import search
from rag_core.cli.serve import serve
from rag_core.cli.worker import worker

commands = CommandLine("python -m rag_core")
asking: tuple[Command, ...] = (doctor, migrate, ingest, ask, chat, search)
keeping: tuple[Command, ...] = (
    *(show, export, delete, purge, costs, index),
    *(re_embed, bundle, embedded),
)
for command in asking:
    commands.add(command)
commands.add(list_notes, "list")
for command in keeping:
    commands.add(command)
commands.command()(serve)
commands.add(worker)
commands.add_group("jobs", jobs.ABOUT, jobs.COMMANDS)
commands.add_group("keys", keys.ABOUT, keys.COMMANDS)


@commands.callback()
def choose_settings(
    context: Context,
    env: Annotated[
        Path | None, Option(metavar="FILE", help="Read RAG_* settings from FILE.")
    ] = None,
) -> None:
    """Answers a person's questions from that person's own notes, with citations.

    \b
    examples:
      python -m rag_core doctor
      python -m rag_core ingest golden/notes/golden-law.jsonl --user golden-law
      python -m rag_core ask --user golden-law "Why was Cain's offering rejected?"
      python -m rag_core ask --help             what a command needs, and more examples

    Settings come from RAG_* variables, or from a file such as .env.development given by --env.
    Without RAG_DATABASE_URL an embedded Postgres under RAG_HOME (.rag) is started and stopped.

    \b
    exit codes: 0 done, 1 unexpected (doctor: something is wrong), 2 wrong input,
    3 wrong setting, 4 a server cannot be reached
    """
    context.obj = env


main = commands.run

if __name__ == "__main__":
    sys.exit(main())
