"""Golden users and test collections, brought into the store by rag_core's own ingest."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pydantic import SecretStr

from evals.datasets.beir import Collection
from evals.datasets.golden import GoldenSet, NoteFile
from rag_core.adapters.documents import read_notes
from rag_core.bootstrap import Application, servers
from rag_core.cli import progress_bar
from rag_core.domain import (
    MAX_TITLE_CHARACTERS,
    Chunker,
    Embedder,
    Note,
    UserId,
    authenticated,
)
from rag_core.errors import InvalidInput
from rag_core.ingest import IngestReport
from rag_core.settings import Settings
from rag_core.side_by_side import SideBySide

_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9._-]+")


@asynccontextmanager
async def held_open(settings: Settings) -> AsyncIterator[Settings]:
    """`settings` with the URL of a running, migrated database; an embedded one stays up meanwhile.

    Caches are in this process and empty: what is measured is never an earlier run's answer.

    Raises:
        EmbeddedServerError: the embedded server does not start.
    """
    alone = settings.model_copy(update={"cache": "memory"})
    async with servers(alone) as running:
        yield alone.model_copy(update={"database_url": SecretStr(running.database_url)})


@dataclass(frozen=True, slots=True)
class Ingested:
    """What all ingests together did."""

    notes: int
    written: int
    """Number of notes that were written."""
    embedded: int
    """Number of chunks that were embedded."""

    @classmethod
    def of(cls, reports: Sequence[IngestReport]) -> Ingested:
        """The sums over `reports`."""
        return cls(
            sum(report.notes_read for report in reports),
            sum(report.notes_written for report in reports),
            sum(report.chunks_embedded for report in reports),
        )

    @classmethod
    def total(cls, several: Sequence[Ingested]) -> Ingested:
        """The sums over `several`."""
        return cls(
            sum(each.notes for each in several),
            sum(each.written for each in several),
            sum(each.embedded for each in several),
        )

    @property
    def state(self) -> str:
        """Whether the store had the notes already, for a manifest."""
        if not self.written:
            return "warm: every note was stored already"
        return f"{'cold' if self.written == self.notes else 'mixed'}: {self.written} notes written"


async def ingest_golden(application: Application, golden: GoldenSet) -> Ingested:
    """Store the notes of all golden users; unchanged ones cost nothing.

    Raises:
        InvalidInput: the store has other notes of such a user too, which answers might rest on.
    """
    reports = []
    for user, file in golden.notes.items():
        await _let_serve(application, authenticated(user))
        notes = await asyncio.to_thread(read_notes, file.path)
        with progress_bar(len(notes), f"ingest {user}", "note") as bar:
            reports.append(
                await application.ingest.run(authenticated(user), notes, progress=bar.update)
            )
        await _catch_up(application, authenticated(user))
        await _check_alone(application, file)
    return Ingested.of(reports)


async def _let_serve(application: Application, user: UserId) -> None:
    """Let the embedder stand beside the one that the user's notes are of: both are measured."""
    digest = application.embedder.digest
    if not await application.vectors.serves(user, digest):
        await application.vectors.register({digest: ""})


async def _catch_up(application: Application, user: UserId) -> None:
    """Embed now what a question would wait for; nothing, where no other embedder stored notes."""
    if await application.vectors.cover(user, application.embedder.digest):
        return
    side = SideBySide(application.vectors, application.embedder)
    with progress_bar(None, f"embed {user}", "chunk") as bar:
        await side.catch_up(user, progress=bar.update)


async def _check_alone(application: Application, file: NoteFile) -> None:
    stored = await application.notes.read(authenticated(file.user))
    if others := sorted({note.id for note in stored} - file.bodies.keys()):
        raise InvalidInput(
            str(file.path),
            f"lacks {len(others)} notes that are stored of {file.user}, such as {others[0]!r}",
            f"Say python -m rag_core delete {others[0]} --user {file.user}, or rename the user, or"
            " set RAG_HOME to a new folder",
        )


async def ingest_collection(
    application: Application, collection: Collection, chunker: Chunker
) -> Ingested:
    """Store a collection's documents as the notes of one user of their own.

    `chunker` must be the one that `application` was assembled with.
    """
    notes = collection_notes(collection)
    with progress_bar(len(notes), f"ingest {collection.name}", "document") as bar:
        report = await application.ingest.run(
            collection_user(collection, chunker, application.embedder),
            notes,
            progress=bar.update,
        )
    return Ingested.of([report])


def collection_user(collection: Collection, chunker: Chunker, embedder: Embedder) -> UserId:
    """`beir-NAME-DIGEST`: other documents are another user, cut or embedded otherwise, too."""
    digest = hashlib.sha256(f"{chunker.name}\0{embedder.digest}".encode())
    for document in collection.docs.values():
        digest.update(f"\0{document.id}\0{document.title}\0{document.text}".encode())
    name = _NOT_IN_AN_ID.sub("-", collection.name).strip("-.")[:80]
    return authenticated(f"beir-{name or 'collection'}-{digest.hexdigest()[:8]}")


def collection_notes(collection: Collection) -> list[Note]:
    """A note a document, under the document's id; a title without a text becomes the text."""
    return [
        Note(
            id=document.id,
            title=_storable(document.title)[:MAX_TITLE_CHARACTERS] if document.text.strip() else "",
            body=_storable(document.text if document.text.strip() else document.title),
        )
        for document in collection.docs.values()
    ]


def _storable(text: str) -> str:
    """Postgres keeps every character but NUL."""
    return text.replace("\x00", " ")
