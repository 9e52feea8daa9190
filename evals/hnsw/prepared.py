"""The deployed pipeline over vectors that are known: notes of one chunk, a row of a matrix each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.generators import ScriptedGenerator
from rag_core.bootstrap import Application, assemble
from rag_core.cli import progress_bar
from rag_core.domain import Note, SearchMethod, UserId, WholeNoteChunker
from rag_core.settings import Settings

if TYPE_CHECKING:
    from rag_core.domain import Matrix

_TEXT = "In the beginning God created the heaven and the earth, and saw that all of it was good."
"""As long as the sentences that the vectors are of."""


class PreparedEmbedder(HashingEmbedder):
    """Gives each text, which begins with the number of its row, the vector that is known."""

    def __init__(self, vectors: Matrix) -> None:
        self._vectors = vectors

    async def embed(self, texts: Sequence[str]) -> Matrix:
        """See `rag_core.domain.ranking.Embedder`."""
        return self._vectors[[int(text.partition(" ")[0]) for text in texts]]


@asynccontextmanager
async def assembled(
    url: str, method: SearchMethod, ef_search: int, vectors: Matrix
) -> AsyncIterator[Application]:
    """The application as it is put together anywhere, searching by `method` whoever asks.

    `vectors` float32[rows, 384]; `ef_search` is the number of candidates of a walk.
    """
    told = {"database_url": url, "cache": "memory", "search_mode": "dense", "search_method": method}
    settings = Settings.model_validate({**told, "ef_search": ef_search, "exact_up_to": 0})
    async with assemble(
        settings,
        embedder=PreparedEmbedder(vectors),
        generator=ScriptedGenerator([]),
        chunker=WholeNoteChunker(),
    ) as application:
        yield application


async def store_rows(application: Application, user: UserId, rows: Sequence[int]) -> None:
    """Ingest a note for each of these rows, of the user."""
    notes = [Note(f"n{row}", "", f"{row} {_TEXT}") for row in rows]
    with progress_bar(len(rows), "ingest", "note") as bar:
        await application.ingest.run(user, notes, progress=bar.update)
