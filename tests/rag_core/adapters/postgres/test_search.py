"""Search: exact is the truth, HNSW finds enough, and nobody sees another user's chunks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.postgres import (
    HNSW_INDEX,
    Database,
    IndexKind,
    PostgresEpochs,
    PostgresNotes,
    PostgresRetriever,
    index_vectors,
    never_sorting,
    open_database,
    search,
    translated,
)
from rag_core.domain import (
    DIMENSIONS,
    Chunk,
    EmbeddedNote,
    Note,
    Query,
    Ranking,
    SearchMethod,
    SearchMode,
    UserId,
    authenticated,
)
from rag_core.errors import ConfigurationError, DatabaseUnavailable
from tests.rag_core.library import connected, rows

if TYPE_CHECKING:
    from rag_core.domain import Matrix

DIGEST = HashingEmbedder().digest


def unit_vectors(count: int, seed: int) -> Matrix:
    drawn = np.random.default_rng(seed).standard_normal((count, DIMENSIONS)).astype(np.float32)
    unit: Matrix
    unit = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return unit


async def store(database: Database, user: UserId, vectors: Matrix) -> None:
    """A note of one chunk for each vector: note 7 has vector 7."""
    notes = [Note(f"{i:05}", f"Note {i}", f"Text {i}") for i in range(len(vectors))]
    embedded = [
        EmbeddedNote(note, (Chunk(note.id, 0, note.title, "", note.body, 0, 7),), (vector,))
        for note, vector in zip(notes, vectors, strict=True)
    ]
    await PostgresNotes(database).replace(user, embedded, chunking="whole", embedder=DIGEST)


def found(ranking: Ranking) -> list[int]:
    return [int(hit.note_id) for hit in ranking.hits]


@pytest.fixture
async def indexed(own_database: str) -> AsyncIterator[Database]:
    """A database of the test's own with the HNSW index."""
    assert await index_vectors(own_database, IndexKind.HNSW)
    url = never_sorting(own_database)
    async with open_database(url, read_timeout_s=30, write_timeout_s=30) as database:
        yield database


def retriever_over(
    database: Database, method: SearchMethod = SearchMethod.EXACT
) -> PostgresRetriever:
    return PostgresRetriever(database, embedder_digest=DIGEST, method=method, ef_search=40)


async def delete_all(database: Database, user: UserId) -> None:
    for note_id in (await PostgresNotes(database).stored_notes(user)).notes:
        await PostgresNotes(database).delete(user, note_id)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_only_the_users_own_chunks_are_ever_found(
    indexed: Database, data: st.DataObject
) -> None:
    """Whoever stores what, and whoever asks: every hit is a chunk the asker stored."""
    crowd = [authenticated(f"crowd-{i}") for i in range(6)]
    sizes = data.draw(st.lists(st.integers(0, 8), min_size=len(crowd), max_size=len(crowd)))
    seed = data.draw(st.integers(0, 2**16))
    vectors = unit_vectors(8, seed)  # the same for all: only the user tells them apart
    for user, size in zip(crowd, sizes, strict=True):
        await delete_all(indexed, user)
        await store(indexed, user, vectors[:size])
    for user, size in zip(crowd, sizes, strict=True):
        query = Query(vectors[0])
        exact = await retriever_over(indexed).search(user, query, k=20)
        assert sorted(found(exact)) == list(range(size))
        hnsw = await retriever_over(indexed, SearchMethod.HNSW).search(user, query, k=20)
        assert sorted(found(hnsw)) == list(range(size)), "never fewer than there are"


@pytest.fixture
async def filtered(indexed: Database, own_database: str) -> tuple[Database, UserId]:
    """A user who owns one chunk in a hundred, far from where the question points."""
    needle, haystack = authenticated("needle"), authenticated("haystack")
    near = unit_vectors(1, seed=5)[0]
    far = unit_vectors(1485, seed=6) + 12 * near
    far /= np.linalg.norm(far, axis=1, keepdims=True)
    await store(indexed, haystack, far)
    await store(indexed, needle, unit_vectors(15, seed=7))
    with connected(own_database) as connection:
        connection.execute("ANALYZE chunk_vectors")
    return indexed, needle


async def test_hnsw_finds_enough_and_the_nearest_under_a_filter_that_keeps_one_row_in_a_hundred(
    filtered: tuple[Database, UserId],
) -> None:
    database, needle = filtered
    hnsw, exact = retriever_over(database, SearchMethod.HNSW), retriever_over(database)
    recalled = 0
    for question in unit_vectors(20, seed=8):
        ranking = await hnsw.search(needle, Query(question), k=10)
        assert len(ranking.hits) == 10
        assert ranking.missed == 0
        scores = [hit.score for hit in ranking.hits]
        assert scores == sorted(scores, reverse=True)
        truth = await exact.search(needle, Query(question), k=10)
        recalled += len(set(found(ranking)) & set(found(truth)))
    assert recalled / 200 >= 0.93, "strict_order gets 0.90, relaxed_order 0.97 and more"


async def test_a_search_that_finds_fewer_than_it_could_is_made_exactly_and_says_what_it_missed(
    filtered: tuple[Database, UserId], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A walk that gives up early, as it does where too many others stand in the way."""
    database, needle = filtered
    statement = search.search_statement

    def not_iterating(*args: Any, **options: Any) -> str:
        return statement(*args, **options).replace("relaxed_order", "off")

    monkeypatch.setattr(search, "search_statement", not_iterating)
    ranking = await retriever_over(database, SearchMethod.HNSW).search(
        needle, Query(unit_vectors(1, seed=5)[0]), k=10
    )
    assert ranking.missed > 0
    exact = await retriever_over(database).search(needle, Query(unit_vectors(1, seed=5)[0]), k=10)
    assert ranking.hits == exact.hits
    query = Query(unit_vectors(1, seed=5)[0])
    everything = await retriever_over(database).search(needle, query, k=50)
    assert (len(everything.hits), everything.missed) == (15, 0)


async def test_each_method_uses_its_own_index_however_often_it_ran(
    filtered: tuple[Database, UserId],
) -> None:
    """The plan says so, and the index's own counter for the prepared statement, too."""
    database, needle = filtered
    query = Query(unit_vectors(1, seed=5)[0])
    searches = 12  # more than the five after which Postgres may turn to a generic plan
    for method, uses_graph in ((SearchMethod.HNSW, True), (SearchMethod.EXACT, False)):
        retriever = retriever_over(database, method)
        plan = await retriever.explain(needle, query, k=5)
        assert any(node.index == HNSW_INDEX for node in plan) is uses_graph
        before = await graph_scans(database)
        for _ in range(searches):
            await retriever.search(needle, query, k=5)
        assert await graph_scans(database) - before == searches * uses_graph


async def test_few_rows_in_all_are_scanned_and_more_are_walked(
    filtered: tuple[Database, UserId], own_database: str
) -> None:
    """Postgres takes what is cheaper for it: the graph of 1,500 chunks is not."""
    _, needle = filtered
    query = Query(unit_vectors(1, seed=5)[0])
    async with open_database(own_database, read_timeout_s=30, write_timeout_s=30) as database:
        exact = await retriever_over(database).search(needle, query, k=10)
        walking = retriever_over(database, SearchMethod.HNSW)
        for more, walked in ((0, False), (2_500, True)):
            await store(database, authenticated("more"), unit_vectors(more, seed=9))
            with connected(own_database) as connection:
                connection.execute("ANALYZE chunk_vectors")
            plan = await walking.explain(needle, query, k=10)
            assert any(node.index == HNSW_INDEX for node in plan) is walked
            assert len((await walking.search(needle, query, k=10)).hits) == 10
            if not walked:
                assert (await walking.search(needle, query, k=10)).hits == exact.hits


@pytest.mark.parametrize("mode", SearchMode)
@pytest.mark.parametrize("method", SearchMethod)
async def test_a_search_is_planned_once_and_not_each_time(
    own_database: str, user: UserId, mode: SearchMode, method: SearchMethod
) -> None:
    await index_vectors(own_database, IndexKind.HNSW)
    vectors = unit_vectors(1_000, 5)
    async with open_database(own_database, read_timeout_s=30, read_connections=1) as database:
        await store(database, user, vectors)
        with connected(own_database) as outside:
            outside.execute("ANALYZE")
        retriever = PostgresRetriever(database, embedder_digest=DIGEST, mode=mode, method=method)
        for vector in vectors[:20]:
            await retriever.search(user, Query(vector, "text 7 of note 7"), k=5)
        plans = await database.fetch(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements"
            " WHERE starts_with(statement, 'WITH ')"
        )
    assert plans == [(15, 5)]


async def test_what_a_search_tells_the_server_ends_with_it(own_database: str, user: UserId) -> None:
    """The connection may be another client's next, through pgbouncer too."""
    assert await index_vectors(own_database, IndexKind.HNSW)
    asked = "SELECT current_setting('hnsw.ef_search'), current_setting('hnsw.iterative_scan')"
    async with open_database(own_database, read_connections=1, read_timeout_s=30) as database:
        await database.fetch("SELECT '[1]'::vector")  # which loads the extension's settings
        before = await database.fetch(asked)
        await store(database, user, unit_vectors(3, 0))
        query = Query(unit_vectors(1, 1)[0])
        assert found(await retriever_over(database, SearchMethod.HNSW).search(user, query, k=2))
        assert await database.fetch(asked) == before == [("40", "off")]


async def graph_scans(database: Database) -> int:
    """How often the HNSW index has been scanned, once the connection has reported."""
    await database.fetch("SELECT pg_stat_force_next_flush()")
    ((count,),) = await rows(
        database,
        f"SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = '{HNSW_INDEX}'",
    )
    return int(count)


async def test_a_database_that_is_not_migrated_is_refused_with_what_to_do(
    empty_database: str,
) -> None:
    with pytest.raises(ConfigurationError, match="rag_core migrate"):
        async with open_database(empty_database):
            pass


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("postgresql://someone:secret-word@127.0.0.1:1/db", DatabaseUnavailable),
        ("mysql://someone:secret-word@127.0.0.1:1/db", ConfigurationError),
        ("someone:secret-word@127.0.0.1", ConfigurationError),
        ("postgresql://someone:secret-word@127.0.0.1:1/db?nonsense=1", ConfigurationError),
        ("postgresql://someone:secret-word@127.0.0.1:not-a-port/db", ConfigurationError),
    ],
)
async def test_a_database_that_cannot_be_reached_is_said_in_one_line_without_the_secret(
    url: str, error: type[Exception]
) -> None:
    with pytest.raises(error, match="RAG_DATABASE_URL") as raised:
        async with open_database(url, read_timeout_s=2):
            pass
    assert "\n" not in str(raised.value)
    assert "secret-word" not in str(raised.value)


async def test_a_pool_outlives_the_connections_it_had(own_database: str) -> None:
    """An administrator ends every connection; the next query gets a new one."""
    async with open_database(own_database, read_connections=2) as database:
        epochs = PostgresEpochs(database)
        assert await epochs([authenticated("nobody")]) == {}
        with connected(own_database) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert await epochs([authenticated("nobody")]) == {}


async def test_a_connection_that_breaks_within_a_query_is_unavailability(
    database: Database,
) -> None:
    with pytest.raises(DatabaseUnavailable), translated():
        await rows(database, "SELECT pg_terminate_backend(pg_backend_pid())")


async def test_other_errors_of_postgres_are_not_mistaken_for_unavailability(
    database: Database,
) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable), translated():
        await rows(database, "SELECT * FROM no_such_table")
