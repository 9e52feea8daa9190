"""The line on which epochs are read: one round trip, and nobody notices where it breaks."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from rag_core.adapters.postgres import PostgresEpochs, open_database
from rag_core.cache import SharedEpochs
from rag_core.domain import UserId
from rag_core.errors import DatabaseUnavailable
from tests.rag_core.embedded.processes import eventually
from tests.rag_core.library import connected
from tests.servers.counting_proxy import CountingProxy, counting_proxy


@pytest.fixture
def known(own_database: str) -> dict[UserId, str]:
    """Two users and their epochs."""
    with connected(own_database) as connection:
        found = connection.execute(
            "INSERT INTO users (id) VALUES ('ruth'), ('boas') RETURNING id, epoch::text"
        )
        return {UserId(user): epoch for user, epoch in found.fetchall()}


@asynccontextmanager
async def line_over(url: str, *, timeout_s: float = 30) -> AsyncIterator[PostgresEpochs]:
    async with (
        open_database(url, read_timeout_s=timeout_s) as database,
        PostgresEpochs(database).connected() as epochs,
    ):
        yield epochs


@pytest.fixture
async def proxy(own_database: str) -> AsyncIterator[CountingProxy]:
    async with counting_proxy(own_database) as proxy:
        yield proxy


@pytest.mark.parametrize("prepare", [True, False])
async def test_known_users_have_their_epochs_and_others_none(
    own_database: str, known: dict[UserId, str], prepare: bool
) -> None:
    async with (
        open_database(own_database, prepare=prepare) as database,
        PostgresEpochs(database).connected() as epochs,
    ):
        assert await epochs([*known, UserId("nobody")]) == known
        assert await epochs([UserId("nobody")]) == {}
        assert await epochs([]) == {}


async def test_an_epoch_is_one_round_trip_on_the_same_connection(
    proxy: CountingProxy, known: dict[UserId, str]
) -> None:
    async with line_over(proxy.url) as epochs:

        async def five_are_five() -> bool:
            before = (proxy.connections, proxy.round_trips)
            for _ in range(5):
                assert await epochs(known) == known
            return (proxy.connections, proxy.round_trips) == (before[0], before[1] + 5)

        await eventually(five_are_five)  # once the pools beside it have opened their connections


async def test_a_reply_that_comes_byte_by_byte_is_understood_and_blocks_nobody(
    proxy: CountingProxy, known: dict[UserId, str]
) -> None:
    """The proxy lives in the same event loop: were it blocked, the rest would never come."""
    async with line_over(proxy.url) as epochs:
        proxy.reply_bytes = 1
        for _ in range(3):
            assert await epochs(known) == known
        assert epochs.on_line


async def test_two_reads_at_once_are_both_answered(
    own_database: str, known: dict[UserId, str]
) -> None:
    """The second finds the line busy, and goes another way."""
    async with line_over(own_database) as epochs:
        first, second = await asyncio.gather(epochs(known), epochs([UserId("ruth")]))
        assert (first, second) == (known, {UserId("ruth"): known[UserId("ruth")]})


async def test_a_line_that_was_cut_is_noticed_by_nobody_and_there_is_soon_another(
    proxy: CountingProxy, known: dict[UserId, str]
) -> None:
    async with line_over(proxy.url) as epochs:
        for _ in range(3):
            proxy.cut()
            assert await epochs(known) == known
        reading = asyncio.ensure_future(epochs(known))
        proxy.cut()  # in the middle of a question
        assert await reading == known
        async with asyncio.timeout(30):
            while not epochs.on_line:
                assert await epochs(known) == known
        before = proxy.connections
        assert await epochs(known) == known
        assert proxy.connections == before


async def test_a_session_that_the_server_ended_is_noticed_by_nobody(
    own_database: str, known: dict[UserId, str]
) -> None:
    async with line_over(own_database) as epochs:
        with connected(own_database) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert await epochs(known) == known


async def test_a_frozen_server_ends_the_wait_and_the_next_read_succeeds(
    proxy: CountingProxy, known: dict[UserId, str]
) -> None:
    async with line_over(proxy.url, timeout_s=0.2) as reading:
        epochs = SharedEpochs(reading, timeout_s=0.2)
        proxy.freeze()
        with pytest.raises(DatabaseUnavailable):
            await epochs.epoch(UserId("ruth"))
        proxy.resume()
        async with asyncio.timeout(30):
            while True:
                try:
                    assert await epochs.epoch(UserId("ruth")) == known[UserId("ruth")]
                    break
                except DatabaseUnavailable:
                    continue


async def test_without_postgres_at_the_start_there_is_an_error_and_later_a_line(
    proxy: CountingProxy, known: dict[UserId, str]
) -> None:
    async with open_database(proxy.url, read_timeout_s=1) as database:
        proxy.refuse()
        async with PostgresEpochs(database).connected() as epochs:
            with pytest.raises(DatabaseUnavailable):
                await epochs(known)
            proxy.resume()
            await eventually(lambda: epochs.on_line)
            assert await epochs(known) == known


async def test_a_line_whose_opening_is_given_up_leaves_no_connection(
    own_database: str, known: dict[UserId, str]
) -> None:
    """Preparing the statement waits for whoever holds the table; the request goes meanwhile."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with connected(own_database) as holder, connected(own_database) as operator:
        async with open_database(own_database) as database:
            with holder.transaction():
                holder.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
                opening = asyncio.create_task(database.open_line("SELECT epoch FROM users"))
                await eventually(lambda: operator.execute(waiting).fetchone() == (1,))
                opening.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await opening
                del opening
                gc.collect()  # a connection that nobody closed would warn here, and fail the test
