"""The command that stores notes: from folders, documents and JSON lines."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Context, Option

from rag_core.cli.application import User, application
from rag_core.cli.progress import progress_bar
from rag_core.domain.documents import Document
from rag_core.errors import InvalidInput

if TYPE_CHECKING:
    from rag_core.bootstrap import Application
    from rag_core.cli.reading import Batch, Reading
    from rag_core.domain.user import UserId
    from rag_core.ingest import IngestReport

SHOWN = 20
"""Documents of which the command says what their notes are called and why."""


async def ingest(
    context: Context,
    places: Annotated[
        list[str], Argument(metavar="PATH…", help="Folders, files, URLs, - for stdin.")
    ],
    user: User,
    re_embed: Annotated[bool, Option("--re-embed", help="First embed what is stored.")] = False,
) -> int:
    """Store notes from folders and files for one user.

    Reads Markdown and text, with front matter or without, HTML, DOCX, PDF, and JSON lines
    (.jsonl) of many notes; what a file is, its content says. Cuts them into chunks, embeds
    them, and writes what changed; what is stored already costs nothing. Notes that the files do
    not hold stay as they are. --re-embed first embeds all stored notes of the user with the
    configured embedder.

    A document's note has its path below the folder as id, or its name. Title, author, date,
    tags and verses are what the file says of itself; else the title is its first heading or
    line, the date the one in its name, and the verses those in its title. A URL is fetched where
    the operator allows its host (RAG_INGEST_HOSTS). A document may have 10 MB; it is read in a
    process with bounds on time and memory. What cannot be read is named on stderr, the rest goes
    in, and the exit code is 2.

    A line of JSON is an object with id, title and body; author, date (YYYY-MM-DD), tags (a list)
    and verses (a list of [book, chapter, first verse, last verse]) may follow.

    \b
    examples:
      python -m rag_core ingest sermons/ --user ruth
      python -m rag_core ingest notes.jsonl "Talk on grace.pdf" --user ruth
      python -m rag_core ingest golden/notes/golden-law.jsonl --user golden-law --re-embed
      curl -s https://example.org/talk.html | python -m rag_core ingest - --user ruth
    """
    from rag_core.adapters.documents import Conversion, found_at
    from rag_core.adapters.documents.web import Web
    from rag_core.cli.reading import Reading
    from rag_core.settings import load_settings

    files = await asyncio.to_thread(list, found_at(places))
    if not files:
        raise InvalidInput("PATH", "no files are there", "Name a file, or a folder with some")
    totals: Counter[str] = Counter()
    skipped: list[str] = []
    async with Conversion() as conversion:
        with progress_bar(len(files), "reading", "file") as bar:
            reading = Reading(Web(load_settings(context.obj).ingest_hosts), conversion, bar)
            batches = reading.batches(files)
            batch = await anext(batches, None)  # most mistakes show before a model is loaded
            if batch or re_embed:
                async with application(context) as app:
                    if re_embed:
                        await _re_embed(app, user)
                    while batch:
                        report = await _store(app, user, batch)
                        totals += _counted(report)
                        skipped += report.skipped
                        batch = await anext(batches, None)
    _say(totals, skipped, reading)
    return InvalidInput.exit_code if reading.rejected else 0


async def _re_embed(app: Application, user: UserId) -> None:
    stored = len((await app.notes.stored_notes(user)).notes)
    with progress_bar(stored, "re-embedding", "note") as bar:
        await app.ingest.re_embed(user, progress=bar.update)


async def _store(app: Application, user: UserId, batch: Batch) -> IngestReport:
    as_of = datetime.fromtimestamp(batch.changed_at, UTC)
    with progress_bar(len(batch.notes), "ingesting", "note") as bar:
        return await app.ingest.run(user, batch.notes, as_of=as_of, progress=bar.update)


def _counted(report: IngestReport) -> Counter[str]:
    return Counter(
        read=report.notes_read,
        written=report.notes_written,
        chunks=report.chunks_written,
        embedded=report.chunks_embedded,
    )


def _say(totals: Counter[str], skipped: Sequence[str], reading: Reading) -> None:
    for document in reading.documents[:SHOWN]:
        print(_line(document))
    if len(reading.documents) > SHOWN:
        print(f"… and {len(reading.documents) - SHOWN} documents more")
    if totals["read"]:
        print(
            f"{totals['read']} notes read, {totals['written']} written as"
            f" {totals['chunks']} chunks, {totals['embedded']} of them embedded"
        )
    for note_id in skipped:
        print(f"skipped {note_id}: someone else changed or deleted it meanwhile; run again to see")
    for error in reading.rejected:
        print(f"error: {error}", file=sys.stderr)
    if len(reading.rejected) > 1:
        print(f"{len(reading.rejected)} files could not be read", file=sys.stderr)


def _line(document: Document) -> str:
    """What a document's note is called, and what is known of it, with where that is from."""
    note, sources = document.note, document.sources
    facts = [f"{note.title!r} ({sources['title']})"]
    if note.author:
        facts.append(f"by {note.author}")
    if note.date:
        facts.append(f"{note.date} ({sources['date']})")
    facts += [f"{document.pages} page{'s' * (document.pages != 1)}"] * bool(document.pages)
    facts += [f"tags {', '.join(note.tags)}"] * bool(note.tags)
    if note.verses:
        facts.append(f"verses {'; '.join(map(str, note.verses))} ({sources['verses']})")
    return f"{note.id}: {', '.join(facts)}"
