"""The stores of notes that the contract tests run over."""

from __future__ import annotations

import pytest

from rag_core.adapters.memory import MemoryNotes
from rag_core.adapters.postgres import PostgresEpochs, PostgresNotes, PostgresRetriever
from rag_core.cache import SharedEpochs
from rag_core.domain import SearchMode, SentenceChunker, Tokenizer
from tests.rag_core.adapters.note_backend import DIGEST, Backend


@pytest.fixture(params=["memory", "postgres"])
def backend(request: pytest.FixtureRequest, tokenizer: Tokenizer) -> Backend:
    """An empty store in memory; then one in Postgres, for users of one's own."""
    return backend_in(SearchMode.DENSE, request, tokenizer)


@pytest.fixture(params=["memory", "postgres"])
def lexical(request: pytest.FixtureRequest, tokenizer: Tokenizer) -> Backend:
    """The same, searched by words."""
    return backend_in(SearchMode.LEXICAL, request, tokenizer)


@pytest.fixture(params=["memory", "postgres"])
def hybrid(request: pytest.FixtureRequest, tokenizer: Tokenizer) -> Backend:
    """The same, searched by vectors and words."""
    return backend_in(SearchMode.HYBRID, request, tokenizer)


def backend_in(mode: SearchMode, request: pytest.FixtureRequest, tokenizer: Tokenizer) -> Backend:
    cut = SentenceChunker(tokenizer, 60, 10)
    if request.param == "memory":
        notes = MemoryNotes(embedder_digest=DIGEST, mode=mode)
        return Backend(notes, notes, SharedEpochs(notes.epochs), cut)
    database = request.getfixturevalue("database")
    retriever = PostgresRetriever(database, embedder_digest=DIGEST, mode=mode)
    epochs = SharedEpochs(PostgresEpochs(database))
    return Backend(PostgresNotes(database), retriever, epochs, cut)
