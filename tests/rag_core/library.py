"""Notes, embedders and stores to test with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg

from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.postgres import Database, PostgresEpochs, PostgresNotes
from rag_core.domain import Embedder, Note, SentenceChunker, Tokenizer, UserId
from rag_core.errors import RagError
from rag_core.ingest import Ingest

if TYPE_CHECKING:
    from rag_core.cache import Epoch
    from rag_core.domain import Matrix

TOPICS = (
    ("grace", "Grace means unearned favour. Paul calls grace a gift. Nobody can buy grace."),
    ("shepherd", "The shepherd searches the hills. One sheep was missing. The shepherd rejoiced."),
    ("harvest", "Harvest workers are few. Fields stand ripe. Pray for workers at harvest."),
    ("storm", "A storm rose over the lake. Waves filled the boat. Peace stilled the storm."),
    ("vineyard", "The vineyard owner paid equally. Late workers grumbled not. Vineyard wages."),
)


def note(topic: str, body: str | None = None, **fields: Any) -> Note:
    """The note about a topic; its id is the topic."""
    return Note(topic, f"On {topic}", body or dict(TOPICS)[topic], **fields)


def library(count: int = 5) -> list[Note]:
    """`count` notes, the topics in turn, each with words of its own."""
    return [
        Note(f"note-{i:04}", f"On {topic} {i}", f"{body} Sermon number{i} ended with verse{i}.")
        for i in range(count)
        for topic, body in [TOPICS[i % len(TOPICS)]]
    ]


def long_note(sentences: int = 60) -> Note:
    """A note of several chunks."""
    body = " ".join(
        f"Sentence number{i} speaks of subject{i} and matter{i}." for i in range(sentences)
    )
    return Note("long", "A long note", body)


def edited(old: Note, before: str, after: str) -> Note:
    """The note with one place of its body changed."""
    assert before in old.body
    return replace(old, body=old.body.replace(before, after, 1))


class CountingEmbedder:
    """Counts the texts it embeds; once `fail_after` texts are embedded, every call fails."""

    def __init__(self, inner: Embedder | None = None, *, fail_after: int | None = None) -> None:
        self._inner = inner or HashingEmbedder()
        self.fail_after = fail_after
        self.texts: list[str] = []
        self.calls = 0

    @property
    def digest(self) -> str:
        return self._inner.digest

    @property
    def max_word_pieces(self) -> int:
        return self._inner.max_word_pieces

    def count_word_pieces(self, text: str) -> int:
        return self._inner.count_word_pieces(text)

    async def embed(self, texts: Sequence[str]) -> Matrix:
        self.calls += 1
        if self.fail_after is not None and len(self.texts) >= self.fail_after:
            raise RagError("the embedder broke")
        self.texts += texts
        return await self._inner.embed(texts)


class OtherEmbedder(HashingEmbedder):
    """Embeds alike, under another name."""

    @property
    def digest(self) -> str:
        return "0123456789abcdef" * 4


def ingest_over(
    database: Database,
    tokenizer: Tokenizer,
    embedder: Embedder | None = None,
    *,
    chunk_tokens: int = 60,
) -> Ingest:
    """Ingest into Postgres with small chunks."""
    return Ingest(
        store=PostgresNotes(database),
        embedder=embedder or HashingEmbedder(),
        chunker=SentenceChunker(tokenizer, chunk_tokens, 10),
    )


async def rows(database: Database, query: str, *parameters: object) -> list[tuple[Any, ...]]:
    """What a query finds."""
    return await database.fetch(query, parameters)


async def epoch_of(database: Database, user: UserId) -> Epoch | None:
    """The epoch of the user's notes; none for a user who is not known."""
    return (await PostgresEpochs(database)([user])).get(user)


async def stored_chunks(database: Database, user: UserId) -> list[tuple[Any, ...]]:
    """Everything that is stored of the user's chunks, in order."""
    return await rows(
        database,
        "SELECT note_id, position, start_char, end_char, sha256, heading, text, embedding::text"
        " FROM note_chunks WHERE user_id = %s ORDER BY note_id, position",
        user,
    )


async def half_written(database: Database, user: UserId) -> list[str]:
    """Live notes whose stored chunks do not reach from the note's beginning to its end.

    Two plain reads: joined before the planner has statistics, notes and chunks took half a minute.
    """
    notes = await rows(
        database,
        "SELECT id, length(body) FROM notes WHERE user_id = %s AND deleted_at IS NULL",
        user,
    )
    chunks = await rows(
        database,
        "SELECT note_id, count(*), min(start_char), max(end_char), max(position) + 1"
        " FROM chunks WHERE user_id = %s GROUP BY note_id",
        user,
    )
    vectors = await rows(
        database,
        "SELECT note_id, count(*) FROM chunk_vectors WHERE user_id = %s GROUP BY note_id",
        user,
    )
    reach, embedded = {row[0]: row[1:] for row in chunks}, dict(vectors)
    return [
        note
        for note, length in notes
        if reach.get(note) != (embedded.get(note), 0, length, embedded.get(note))
    ]


def connected(url: str) -> psycopg.Connection[tuple[Any, ...]]:
    """A plain connection, for looking at a database from outside."""
    return psycopg.connect(url, autocommit=True)
