"""Search: exact is the truth, HNSW finds enough, and nobody sees another user's chunks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag_core.adapters.embedders.hashing import HashingEmbedder
from rag_core.adapters.postgres.epochs import PostgresEpochs
from rag_core.adapters.postgres.notes import PostgresNotes
from rag_core.adapters.postgres.pool import Pool, open_pool, translated
from rag_core.adapters.postgres.search import PostgresRetriever
from rag_core.chunks import Chunk
from rag_core.errors import ConfigurationError, DatabaseUnavailable, EmbedderMismatch
from rag_core.notes import Note, Verses
from rag_core.retrieval import DIMENSIONS, Ranking, SearchMethod
from rag_core.store import EmbeddedNote
from rag_core.tokens import Tokenizer
from rag_core.user import UserId, authenticated
from tests.rag_core.library import connected, ingest_over, note, rows

if TYPE_CHECKING:
    from rag_core.retrieval import Matrix

DIGEST = HashingEmbedder().digest


def unit_vectors(count: int, seed: int) -> Matrix:
    drawn = np.random.default_rng(seed).standard_normal((count, DIMENSIONS)).astype(np.float32)
    unit: Matrix
    unit = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return unit


async def store(pool: Pool, user: UserId, vectors: Matrix) -> None:
    """A note of one chunk for each vector: note 7 has vector 7."""
    notes = [Note(f"{i:05}", f"Note {i}", f"Text {i}") for i in range(len(vectors))]
    embedded = [
        EmbeddedNote(note, (Chunk(note.id, 0, note.title, "", note.body, 0, 7),), (vector,))
        for note, vector in zip(notes, vectors, strict=True)
    ]
    await PostgresNotes(pool).replace(user, embedded, chunking="whole", embedder=DIGEST)


def found(ranking: Ranking) -> list[int]:
    return [int(hit.note_id) for hit in ranking.hits]


async def test_exact_search_equals_brute_force(pool: Pool, user: UserId) -> None:
    vectors = unit_vectors(300, seed=1)
    await store(pool, user, vectors)
    retriever = PostgresRetriever(pool, embedder_digest=DIGEST)
    for question in unit_vectors(20, seed=2):
        ranking = await retriever.search(user, question, k=10)
        cosines = vectors @ question
        expected = np.argsort(-cosines)[:10]
        assert found(ranking) == expected.tolist()
        np.testing.assert_allclose(
            [hit.score for hit in ranking.hits], cosines[expected], atol=1e-6
        )


async def test_a_hit_carries_what_a_prompt_says_of_its_note(
    pool: Pool, tokenizer: Tokenizer, user: UserId
) -> None:
    body = "## By the lake\n\nA storm rose over the lake."
    verses = (Verses("Mark", 4, 35, 41), Verses("Luke", 8, 22, 25))
    kept = note(
        "storm", body, author="Ruth", date=date(2026, 5, 3), tags=("fear", "faith"), verses=verses
    )
    await ingest_over(pool, tokenizer).run(user, [kept])
    vector = (await HashingEmbedder().embed(["storm over the lake"]))[0]
    (hit,) = (await PostgresRetriever(pool, embedder_digest=DIGEST).search(user, vector, k=5)).hits
    assert (hit.note_id, hit.position, hit.title, hit.heading) == (
        *("storm", 0),
        *("On storm", "By the lake"),
    )
    assert (hit.author, hit.date, hit.tags) == ("Ruth", date(2026, 5, 3), ("fear", "faith"))
    assert hit.verses == verses
    assert body[hit.start : hit.end] == hit.text == "A storm rose over the lake."


async def test_an_unknown_user_and_one_without_notes_find_nothing(
    pool: Pool, tokenizer: Tokenizer, user: UserId, other_user: UserId
) -> None:
    retriever = PostgresRetriever(pool, embedder_digest=DIGEST)
    vector = unit_vectors(1, seed=3)[0]
    assert await retriever.search(user, vector, k=5) == Ranking()
    await ingest_over(pool, tokenizer).run(other_user, [note("grace")])
    await PostgresNotes(pool).delete(other_user, "grace")
    assert await retriever.search(other_user, vector, k=5) == Ranking()


async def test_chunks_of_another_embedder_are_refused_with_what_to_do(
    pool: Pool, tokenizer: Tokenizer, user: UserId
) -> None:
    await ingest_over(pool, tokenizer).run(user, [note("grace")])
    retriever = PostgresRetriever(pool, embedder_digest="f" * 64)
    with pytest.raises(EmbedderMismatch, match="--re-embed") as raised:
        await retriever.search(user, unit_vectors(1, seed=3)[0], k=5)
    assert (raised.value.stored, raised.value.configured) == (DIGEST, "f" * 64)


@pytest.fixture(scope="module")
def crowd() -> list[UserId]:
    """Users of this module whose notes all look alike."""
    suffix = np.random.default_rng().integers(2**60)
    return [authenticated(f"crowd-{i}-{suffix}") for i in range(6)]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
async def test_only_the_users_own_chunks_are_ever_found(
    pool: Pool, hnsw_pool: Pool, crowd: list[UserId], data: st.DataObject
) -> None:
    """Whoever stores what, and whoever asks: every hit is a chunk the asker stored."""
    sizes = data.draw(st.lists(st.integers(0, 8), min_size=len(crowd), max_size=len(crowd)))
    seed = data.draw(st.integers(0, 2**16))
    vectors = unit_vectors(8, seed)  # the same for all: only the user tells them apart
    for user, size in zip(crowd, sizes, strict=True):
        async with pool.connection() as connection:
            await connection.execute("DELETE FROM note_chunks WHERE user_id = %s", (user,))
        await store(pool, user, vectors[:size])
    for user, size in zip(crowd, sizes, strict=True):
        exact = PostgresRetriever(pool, embedder_digest=DIGEST)
        assert sorted(found(await exact.search(user, vectors[0], k=20))) == list(range(size))
        hnsw = PostgresRetriever(hnsw_pool, embedder_digest=DIGEST, method=SearchMethod.HNSW)
        assert set(found(await hnsw.search(user, vectors[0], k=20))) <= set(range(size))


@pytest.fixture
async def hnsw_pool(database_url: str) -> AsyncIterator[Pool]:
    """Connections to the shared database that walk the graph."""
    async with open_pool(database_url, search=SearchMethod.HNSW) as pool:
        yield pool


@pytest.fixture
async def filtered(own_database: str) -> AsyncIterator[tuple[Pool, UserId]]:
    """Over HNSW, a user who owns one chunk in a hundred, far from where the question points."""
    needle, haystack = authenticated("needle"), authenticated("haystack")
    async with open_pool(own_database, search=SearchMethod.HNSW, ef_search=40) as pool:
        near = unit_vectors(1, seed=5)[0]
        far = unit_vectors(1485, seed=6) + 12 * near
        far /= np.linalg.norm(far, axis=1, keepdims=True)
        await store(pool, haystack, far)
        await store(pool, needle, unit_vectors(15, seed=7))
        async with pool.connection() as connection:
            await connection.execute("ANALYZE")
        yield pool, needle


async def test_hnsw_finds_enough_and_the_nearest_under_a_filter_that_keeps_one_row_in_a_hundred(
    filtered: tuple[Pool, UserId],
) -> None:
    pool, needle = filtered
    hnsw = PostgresRetriever(pool, embedder_digest=DIGEST, method=SearchMethod.HNSW)
    exact = PostgresRetriever(pool, embedder_digest=DIGEST)
    recalled = 0
    for question in unit_vectors(20, seed=8):
        ranking = await hnsw.search(needle, question, k=10)
        assert len(ranking.hits) == 10
        scores = [hit.score for hit in ranking.hits]
        assert scores == sorted(scores, reverse=True)
        truth = await exact.search(needle, question, k=10)
        recalled += len(set(found(ranking)) & set(found(truth)))
    assert recalled / 200 >= 0.93, "strict_order gets 0.90, relaxed_order 0.97 and more"


async def test_each_method_uses_its_own_index_however_often_it_ran(
    filtered: tuple[Pool, UserId], own_database: str
) -> None:
    """The plan says so, and the index's own counter for the prepared statement, too."""
    pool, needle = filtered
    vector = unit_vectors(1, seed=5)[0]
    searches = 12  # more than the five after which Postgres may turn to a generic plan
    for method, uses_graph in ((SearchMethod.HNSW, True), (SearchMethod.EXACT, False)):
        retriever = PostgresRetriever(pool, embedder_digest=DIGEST, method=method)
        plan = await retriever.explain(needle, vector, k=5)
        assert ("note_chunks_embedding_hnsw" in plan) is uses_graph
        before = await graph_scans(pool)
        for _ in range(searches):
            await retriever.search(needle, vector, k=5)
        assert await graph_scans(pool) - before == searches * uses_graph


async def graph_scans(pool: Pool) -> int:
    """How often the HNSW index has been scanned, once every connection has reported."""
    async with pool.connection() as connection:
        await connection.execute("SELECT pg_stat_force_next_flush()")
    ((count,),) = await rows(
        pool,
        "SELECT idx_scan FROM pg_stat_user_indexes"
        " WHERE indexrelname = 'note_chunks_embedding_hnsw'",
    )
    return int(count)


async def test_a_database_that_is_not_migrated_is_refused_with_what_to_do(
    empty_database: str,
) -> None:
    with pytest.raises(ConfigurationError, match="rag_core migrate"):
        async with open_pool(empty_database):
            pass


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("postgresql://someone:secret-word@127.0.0.1:1/db", DatabaseUnavailable),
        ("mysql://someone:secret-word@127.0.0.1:1/db", ConfigurationError),
        ("someone:secret-word@127.0.0.1", ConfigurationError),
        ("postgresql://someone:secret-word@127.0.0.1:1/db?nonsense=1", ConfigurationError),
        ("postgresql://someone:secret-word@127.0.0.1:not-a-port/db", DatabaseUnavailable),
    ],
)
async def test_a_database_that_cannot_be_reached_is_said_in_one_line_without_the_secret(
    url: str, error: type[Exception]
) -> None:
    with pytest.raises(error, match="RAG_DATABASE_URL") as raised:
        async with open_pool(url, timeout_s=2):
            pass
    assert "\n" not in str(raised.value)
    assert "secret-word" not in str(raised.value)


async def test_a_pool_outlives_the_connections_it_had(own_database: str) -> None:
    """An administrator ends every connection; the next query gets a new one."""
    async with open_pool(own_database, max_size=2) as pool:
        epochs = PostgresEpochs(pool)
        assert await epochs.epoch(authenticated("nobody")) is None
        with connected(own_database) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert await epochs.epoch(authenticated("nobody")) is None


async def test_a_connection_that_breaks_within_a_query_is_unavailability(pool: Pool) -> None:
    with pytest.raises(DatabaseUnavailable), translated():
        await rows(pool, "SELECT pg_terminate_backend(pg_backend_pid())")


async def test_other_errors_of_postgres_are_not_mistaken_for_unavailability(pool: Pool) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable), translated():
        await rows(pool, "SELECT * FROM no_such_table")
