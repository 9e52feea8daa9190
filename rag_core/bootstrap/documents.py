"""Wiring of documents: where they are kept, and who reads those that wait."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec

from rag_core.adapters.documents import Conversion
from rag_core.adapters.postgres.database import Database
from rag_core.adapters.postgres.documents import PostgresDocuments
from rag_core.clock import WATCH_S, SystemClock, recurring
from rag_core.documents import Changed, DocumentJobs
from rag_core.domain.document_store import QueueLimits
from rag_core.errors import ConfigurationError, DatabaseUnavailable
from rag_core.events import DocumentsWaiting, Listener
from rag_core.ingest import Ingest
from rag_core.settings import Settings

SHUTDOWN_S = 10.0
"""Seconds for a document to end when its worker is told to stop: nearly all take one; chosen."""


def document_store(settings: Settings, database: Database) -> PostgresDocuments:
    """The documents, with as many waiting as the settings allow."""
    limits = QueueLimits(
        of_a_user=settings.ingest_user_queue, at_once=settings.ingest_user_concurrency
    )
    return PostgresDocuments(database, limits)


@dataclass(frozen=True, slots=True)
class DocumentReading:
    """Reads documents that wait in the queue, where somebody lets it."""

    settings: Settings
    url: str
    store: PostgresDocuments
    ingest: Ingest
    changed: Changed
    listener: Listener

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Tell the listener how much waits while the block runs, whoever reads it."""
        async with recurring("what waits is told", self._tell, WATCH_S, SystemClock()):
            yield

    async def _tell(self) -> None:
        """None while Postgres is away, which others tell."""
        with suppress(DatabaseUnavailable):
            self.listener(DocumentsWaiting(*await self.store.queued()))

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Read them while the block runs.

        Raises:
            ConfigurationError: the library of the queue is not installed.
        """
        if find_spec("procrastinate") is None:
            fix = "Run: pip install 'rag_core[queue]'"
            raise ConfigurationError("RAG_INGEST_WORKER", "needs procrastinate", fix)
        from rag_core.adapters.postgres.worker import DocumentWorker, WorkerOptions

        options = WorkerOptions(
            concurrency=self.settings.ingest_concurrency,
            fleet_concurrency=self.settings.ingest_fleet_concurrency,
            attempts=self.settings.ingest_attempts,
            shutdown_s=min(SHUTDOWN_S, self.settings.shutdown_s),
            prepare=self.settings.database_prepare,
        )
        async with Conversion() as conversion:
            jobs = DocumentJobs(
                store=self.store, converter=conversion, ingest=self.ingest, changed=self.changed
            )
            worker = DocumentWorker(self.url, jobs, self.store.requeue, options)
            async with worker.working():
                yield
