"""Notes saved as one chunk each."""

from __future__ import annotations

from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.postgres import Database, PostgresNotes
from rag_core.domain import Note, UserId, WholeNoteChunker
from rag_core.ingest import Ingest


def ingest_into(database: Database) -> Ingest:
    """Each note as one chunk."""
    return Ingest(
        store=PostgresNotes(database), embedder=HashingEmbedder(), chunker=WholeNoteChunker()
    )


async def save(database: Database, user: UserId, *notes: Note) -> None:
    await ingest_into(database).run(user, notes)
