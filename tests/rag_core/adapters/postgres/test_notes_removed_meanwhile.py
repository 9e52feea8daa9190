"""A note that is gone for good while an ingest runs, purged or deleted by plain SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.postgres import Database, PostgresNotes
from rag_core.domain import Note, StoredNotes, UserId, WholeNoteChunker
from rag_core.ingest import Ingest


class NotesPurgedMeanwhile(PostgresNotes):
    """Somebody deletes a note, and it is purged, right after an ingest has seen it."""

    async def stored_notes(
        self, user: UserId, note_ids: Sequence[str] | None = None
    ) -> StoredNotes:
        library = await super().stored_notes(user, note_ids)
        for note_id in library.notes:
            await self.delete(user, note_id)
        await self.purge(user, datetime.now(UTC))
        return library


async def test_a_file_older_than_the_purge_does_not_bring_the_note_back(
    database: Database, user: UserId
) -> None:
    embedder, chunker = HashingEmbedder(), WholeNoteChunker()
    notes = PostgresNotes(database)
    as_of = datetime.now(UTC)
    await Ingest(store=notes, embedder=embedder, chunker=chunker).run(
        user, [Note(id="grace", title="", body="About grace.")]
    )
    late = Ingest(store=NotesPurgedMeanwhile(database), embedder=embedder, chunker=chunker)
    report = await late.run(
        user, [Note(id="grace", title="", body="About grace, from a file.")], as_of=as_of
    )
    assert report.skipped == ("grace",)
    assert await notes.read(user) == []
