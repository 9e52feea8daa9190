"""Commands that show a user's notes, give them back and remove them."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from typer import Argument, Context, Option

from rag_core.cli.application import AsJson, User, application, stored_notes
from rag_core.cli.progress import progress_bar
from rag_core.domain.notes import Note
from rag_core.domain.user import UserId
from rag_core.errors import InvalidInput, UnknownUser

if TYPE_CHECKING:
    from rag_core.domain.note_store import NoteHead

_PAGE = 500
"""Notes read at once."""


async def list_notes(context: Context, user: User, as_json: AsJson = False) -> None:
    """List a user's notes by id.

    \b
    examples:
      python -m rag_core list --user ruth
      python -m rag_core list --user ruth --json
    """
    heads: list[NoteHead] = []
    async with stored_notes(context) as notes:
        while page := await notes.page(user, after=heads[-1].id if heads else "", most=_PAGE):
            heads += page
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(heads)).decode())
        return
    if not heads:
        raise UnknownUser(user)
    for head in heads:
        facts = [head.id, head.title, str(head.date or ""), head.author, ", ".join(head.tags)]
        print(" | ".join(filter(None, facts)))
    print(f"{len(heads)} notes")


async def show(
    context: Context,
    note: Annotated[str, Argument(help="Id of the note.")],
    user: User,
    as_json: AsJson = False,
) -> None:
    """Show one note as it is stored.

    \b
    examples:
      python -m rag_core show "2024/2024-05-12 grace.md" --user ruth
    """
    async with stored_notes(context) as notes:
        found = await notes.note(user, note)
    if found is None:
        raise _no_such_note(user, note)
    if as_json:
        print(msgspec.json.format(_line(found)).decode())
        return
    facts = {
        "title": found.title,
        "author": found.author,
        "date": str(found.date or ""),
        "tags": ", ".join(found.tags),
        "verses": "; ".join(map(str, found.verses)),
    }
    for name, value in facts.items():
        if value:
            print(f"{name}: {value}")
    print(f"\n{found.body}")


async def export(
    context: Context,
    user: User,
    out: Annotated[
        Path | None, Option(metavar="FILE.jsonl", help="Instead of standard output.")
    ] = None,
) -> None:
    """Give back all of a user's notes, as JSON lines that ingest takes.

    A file is there when it is whole, and not before.

    \b
    examples:
      python -m rag_core export --user ruth --out ruth.jsonl
      python -m rag_core export --user ruth | gzip > ruth.jsonl.gz
    """
    async with stored_notes(context) as notes:
        found = await notes.read(user)
    if not found:
        raise UnknownUser(user)
    lines = b"".join(_line(note) + b"\n" for note in found)
    if out is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(lines)
        return
    _write_whole(out, lines)
    print(f"{len(found)} notes of {user} are in {out}")


async def delete(
    context: Context,
    user: User,
    note: Annotated[str | None, Argument(help="Id of the note.")] = None,
    everything: Annotated[
        bool, Option("--all", help="Every note, for good, and all that was kept of them.")
    ] = False,
) -> None:
    """Delete a note, or everything of a user; it is no longer found from then on.

    A note's id is in list, and note_id in the citations of ask --json. It is removed for good by
    purge. With --all nothing of what the user wrote remains: notes, chunks, cached answers,
    conversations and the records of imports go at once. What it cost remains, without a word of
    any text. A terminal is asked first. Backups of the database are yours to let expire.

    \b
    examples:
      python -m rag_core delete 2024-05-12 --user ruth
      python -m rag_core delete --all --user ruth
    """
    if everything == (note is not None):
        raise InvalidInput("note", "name one note, or --all", "See delete --help")
    if note is None:
        await _delete_all(context, user)
        return
    async with application(context) as app:
        if not await app.notes.delete(user, note):
            raise _no_such_note(user, note)
    print(f"note {note} is deleted")


async def _delete_all(context: Context, user: UserId) -> None:
    if sys.stdin.isatty():
        typer.confirm(f"Remove all notes of {user} for good?", abort=True)
    async with application(context, as_served=True) as app:
        stored = len((await app.notes.stored_notes(user)).notes)
        with progress_bar(stored, "deleting", "note") as bar:
            gone = await app.purge.everything(user, progress=bar.update)
    print(f"{gone} notes of {user} are gone for good")


async def purge(
    context: Context,
    days: Annotated[int, Option(min=0, max=36_500, help="Deleted at least so long ago.")],
) -> None:
    """Remove deleted notes for good.

    Goes: the notes' rows in Postgres, and every cached answer of their users in Redis, as one may
    still quote them, and what was asked about them in conversations. Deleted notes are never found,
    purged or not. Where Redis cannot be reached nothing of that user is removed: run it again.

    \b
    examples:
      python -m rag_core purge --days 30
    """
    async with application(context, as_served=True) as app:
        report = await app.purge.run(datetime.now(UTC) - timedelta(days=days))
    print(f"{report.notes} notes of {report.users} users are gone for good")


def _no_such_note(user: UserId, note: str) -> InvalidInput:
    return InvalidInput(
        "note",
        f"{user!r} has no note {note!r}",
        "Check user and id; list shows all, ask --json the id of each note that it cites",
    )


def _line(note: Note) -> bytes:
    """What ingest takes; fields that say nothing are left out."""
    fields = {
        name: getattr(note, name)
        for name in ("id", "title", "body", "author", "date", "tags", "verses")
    }
    kept = {name: value for name, value in fields.items() if value or name in ("id", "title")}
    return msgspec.json.encode(kept)


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file that is never seen in part.

    Raises:
        InvalidInput: it cannot be written.
    """
    temporary = ""
    try:
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}", delete=False) as file:
            temporary = file.name
            file.write(content)
        os.replace(temporary, path)
    except OSError as error:
        if temporary:
            with suppress(OSError):
                os.unlink(temporary)
        raise InvalidInput("--out", f"{path} cannot be written: {error.strerror}") from error
