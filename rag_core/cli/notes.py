"""Commands that remove a user's notes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from typer import Argument, Context, Option

from rag_core.cli.application import User, application
from rag_core.errors import InvalidInput


async def delete(
    context: Context, note: Annotated[str, Argument(help="Id of the note.")], user: User
) -> None:
    """Delete a note; it is no longer found from then on.

    Its id is the one in the file it was ingested from, and note_id in the citations of ask --json.

    \b
    examples:
      python -m rag_core delete 2024-05-12 --user ruth
    """
    async with application(context) as app:
        if not await app.notes.delete(user, note):
            raise InvalidInput(
                "note",
                f"{user!r} has no note {note!r}",
                "Check user and id; ask --json names the id of each note that it cites",
            )
    print(f"note {note} is deleted")


async def purge(
    context: Context,
    days: Annotated[int, Option(min=0, max=36_500, help="Deleted at least so long ago.")],
) -> None:
    """Remove deleted notes for good.

    Goes: the notes' rows in Postgres, and every cached answer of their users in Redis, as one may
    still quote them. Deleted notes are never found, purged or not. Where Redis cannot be reached
    nothing of that user is removed: run it again.

    \b
    examples:
      python -m rag_core purge --days 30
    """
    async with application(context) as app:
        report = await app.purge.run(datetime.now(UTC) - timedelta(days=days))
    print(f"{report.notes} notes of {report.users} users are gone for good")
