"""Commands for documents that failed so often that nobody tries them any more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import msgspec
from typer import Argument, Context, Option

from rag_core.cli.application import AsJson
from rag_core.cli.command_line import Command
from rag_core.domain.user import UserId, authenticated
from rag_core.errors import InvalidInput

if TYPE_CHECKING:
    from rag_core.adapters.postgres.dead_letters import DeadLetters

ABOUT = "Documents that nobody tries any more: list them, try them again."
Whose = Annotated[
    UserId | None, Option("--user", parser=authenticated, metavar="ID", help="Of one user alone.")
]


async def list_jobs(context: Context, user: Whose = None, as_json: AsJson = False) -> None:
    """List documents that failed for another reason than what is in their files.

    Each was tried RAG_INGEST_ATTEMPTS times, and its file is kept. A file that cannot be read is
    not listed: its user is told why, and another try would end as the first.

    \b
    examples:
      python -m rag_core jobs list
      python -m rag_core jobs list --user ruth --json
    """
    async with _dead_letters(context) as letters:
        found = await letters.list(user)
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(found)).decode())
        return
    for each in found:
        when = f"{each.failed_at:%Y-%m-%d %H:%M:%S}" if each.failed_at else ""
        facts = [str(each.id), each.user, each.document_id, each.error, when]
        print(" | ".join(filter(None, [*facts, f"{each.attempts} attempts"])))
    print(f"{len(found)} jobs have failed")


async def retry(
    context: Context,
    job: Annotated[list[int] | None, Argument(help="Numbers of jobs, as list shows them.")] = None,
    everything: Annotated[bool, Option("--all", help="All that have failed.")] = False,
    user: Whose = None,
) -> None:
    """Try failed documents again, as if they were new.

    \b
    examples:
      python -m rag_core jobs retry 17
      python -m rag_core jobs retry --all
      python -m rag_core jobs retry --all --user ruth
    """
    if everything == bool(job):
        raise InvalidInput("job", "name some, or say --all", "See jobs list")
    async with _dead_letters(context) as letters:
        found = {each.id: each for each in await letters.list(user)}
        if unknown := [number for number in job or () if number not in found]:
            raise InvalidInput("job", f"{unknown[0]} has not failed", "See jobs list")
        again = [await letters.retry(found[number]) for number in job or found]
    print(f"{sum(again)} jobs wait again")


@asynccontextmanager
async def _dead_letters(context: Context) -> AsyncIterator[DeadLetters]:
    """No model is loaded for this."""
    from rag_core.bootstrap.dead_letters import open_dead_letters
    from rag_core.settings import load_settings

    async with open_dead_letters(load_settings(context.obj)) as letters:
        yield letters


COMMANDS: dict[str, Command] = {"list": list_jobs, "retry": retry}
