"""The stores of notes that the contract tests run over."""

from __future__ import annotations

import pytest

from rag_core.adapters.memory import MemoryNotes
from rag_core.adapters.postgres.epochs import PostgresEpochs
from rag_core.adapters.postgres.notes import PostgresNotes
from rag_core.adapters.postgres.search import PostgresRetriever
from rag_core.chunks import SentenceChunker
from rag_core.tokens import Tokenizer
from tests.rag_core.adapters.note_backend import DIGEST, Backend, Board


@pytest.fixture(params=["memory", "postgres"])
def backend(request: pytest.FixtureRequest, tokenizer: Tokenizer) -> Backend:
    """An empty store in memory; then one in Postgres, for users of one's own."""
    board, cut = Board(), SentenceChunker(tokenizer, 60, 10)
    if request.param == "memory":
        notes = MemoryNotes(embedder_digest=DIGEST, board=board)
        made = Backend(notes, notes, notes, board, cut)
    else:
        pool = request.getfixturevalue("pool")
        retriever = PostgresRetriever(pool, embedder_digest=DIGEST)
        store, epochs = PostgresNotes(pool, board=board), PostgresEpochs(pool)
        made = Backend(store, retriever, epochs, board, cut)
    board.epochs = made.epochs
    return made
