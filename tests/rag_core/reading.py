"""A worker as a process: python -m tests.rag_core.reading DATABASE_URL MODE [FLEET_CONCURRENCY].

It says a line when it has begun. Its mode is what becomes of a file: `reads` reads it, `hangs`
waits for ever at one that says so, `fails` lacks what reads it.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from dataclasses import replace

from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.postgres import PostgresDocuments, PostgresNotes, open_database
from rag_core.adapters.postgres.worker import DocumentWorker, WorkerOptions
from rag_core.documents import DocumentJobs
from rag_core.domain import Document, DocumentType, Note, WholeNoteChunker
from rag_core.errors import ConfigurationError
from rag_core.ingest import Ingest

HUNG = "hangs"
WAITS = "A file that a worker may hang at."
OPTIONS = WorkerOptions(
    attempts=3, backoff_s=0.1, poll_s=0.1, beat_s=0.3, dead_after_s=1.5, shutdown_s=0.5
)


class Reads:
    """Makes of a file what the mode says."""

    def __init__(self, mode: str) -> None:
        self._mode = mode

    async def convert(self, note_id: str, content: bytes) -> Document:
        if self._mode == HUNG and content == WAITS.encode():
            await asyncio.Event().wait()
        if self._mode == "fails":
            raise ConfigurationError("documents", "what reads this is not installed")
        text = content.decode()
        return Document(Note(note_id, text[:20], text), DocumentType.TEXT, len(content), "")


async def main(url: str, mode: str, fleet: int | None) -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with open_database(url) as database:
        store, notes = PostgresDocuments(database), PostgresNotes(database)
        ingest = Ingest(store=notes, embedder=HashingEmbedder(), chunker=WholeNoteChunker())
        jobs = DocumentJobs(
            store=store,
            converter=Reads(mode),
            ingest=ingest,
            changed=lambda user, note_id: None,
        )
        options = replace(OPTIONS, fleet_concurrency=fleet)
        async with DocumentWorker(url, jobs, store.requeue, options).working():
            print("begun", flush=True)
            await stopped.wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3], int(sys.argv[3]) if sys.argv[3:] else None))
