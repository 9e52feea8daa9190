"""Commands that change a user's notes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

from typer import Argument, Context, Option

from rag_core.cli.application import User, application
from rag_core.cli.progress import progress_bar
from rag_core.errors import InvalidInput


async def ingest(
    context: Context,
    file: Annotated[Path, Argument(metavar="FILE.jsonl", help="One note a line.")],
    user: User,
    re_embed: Annotated[bool, Option("--re-embed", help="First embed what is stored.")] = False,
) -> None:
    """Store the notes of a JSON-lines file for one user.

    Cuts them into chunks, embeds them, and writes what changed; what is stored already costs
    nothing. Notes that the file does not hold stay as they are. --re-embed first embeds all
    stored notes of the user with the configured embedder.

    A line is a JSON object with id, title and body; author, date (YYYY-MM-DD), tags (a list) and
    verses (a list of [book, chapter, first verse, last verse]) may follow. Needs a migrated
    database and the embedding model (see doctor).

    \b
    examples:
      python -m rag_core ingest golden/notes/golden-law.jsonl --user golden-law
      python -m rag_core ingest notes.jsonl --user ruth --re-embed
    """
    from rag_core.adapters.documents import read_notes

    notes = await asyncio.to_thread(read_notes, file)
    changed_at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    async with application(context) as app:
        if re_embed:
            stored = len((await app.notes.stored_notes(user)).notes)
            with progress_bar(stored, "re-embedding", "note") as bar:
                await app.ingest.re_embed(user, progress=bar.update)
        with progress_bar(len(notes), "ingesting", "note") as bar:
            report = await app.ingest.run(user, notes, as_of=changed_at, progress=bar.update)
    print(
        f"{report.notes_read} notes read, {report.notes_written} written as"
        f" {report.chunks_written} chunks, {report.chunks_embedded} of them embedded"
    )
    for note_id in report.skipped:
        print(f"skipped {note_id}: someone else changed or deleted it meanwhile; run again to see")


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
