"""Wiring of searches by an embedder that need not be the configured one."""

from __future__ import annotations

from rag_core.adapters.postgres.search import PostgresRetriever
from rag_core.bootstrap.application import Application
from rag_core.clock import SystemClock
from rag_core.domain.ranking import Embedder
from rag_core.note_finding import NoteFinder
from rag_core.settings import Settings
from rag_core.side_by_side import CaughtUpRetriever, SideBySide


def note_finder(settings: Settings, app: Application, embedder: Embedder) -> NoteFinder:
    """Finds notes by `embedder` as the pipeline would, but by exact scans alone."""
    retriever = PostgresRetriever(
        app.database,
        embedder_digest=embedder.digest,
        mode=settings.search_mode,
        lexical_weight=settings.lexical_weight,
    )
    side = SideBySide(app.vectors, embedder)
    return NoteFinder(embedder, CaughtUpRetriever(retriever, side), SystemClock())
