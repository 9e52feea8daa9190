"""The cost book in Postgres: a log of calls, and daily rows that are always its sums."""

from __future__ import annotations

import asyncio
from datetime import date

import psycopg
import pytest

from rag_core.adapters.memory import MemoryCostBook
from rag_core.adapters.postgres import Connection, Database, PostgresCosts, open_database
from rag_core.budget import BookTotals, Call, CostBook, Spent, as_held
from rag_core.domain import Usage, UserId
from tests.rag_core.budget.parts import noon_of_a_day


@pytest.fixture(params=["memory", "postgres"])
def book(request: pytest.FixtureRequest) -> CostBook:
    if request.param == "memory":
        return MemoryCostBook()
    return PostgresCosts(request.getfixturevalue("database"))


@pytest.fixture
def day() -> date:
    return date.fromordinal(date(1970, 1, 1).toordinal() + int(noon_of_a_day().now() // 86_400))


def call(user: UserId, call_id: str, day: date, nano_usd: int, model: str = "llama") -> Call:
    return Call(user, call_id, day, Spent("groq", model, Usage(nano_usd, 7), nano_usd))


async def test_a_day_is_the_sum_of_its_calls(
    book: CostBook, user: UserId, other_user: UserId, day: date
) -> None:
    await book.book([call(user, "1", day, 5), call(other_user, "1", day, 7)])
    await book.book([call(user, "2", day, 11, "other")])
    assert await book.totals(day) == BookTotals(3, 23)
    assert await book.totals(day, user) == BookTotals(2, 16)
    assert {(c.user, c.call_id) for c in await book.calls(day)} == {
        (user, "1"),
        (user, "2"),
        (other_user, "1"),
    }


async def test_a_call_is_booked_once_and_as_it_was_first(
    book: CostBook, user: UserId, day: date
) -> None:
    first = call(user, "1", day, 5)
    assert await book.book([first]) == [first]
    assert await book.book([call(user, "1", day, 9)]) == [first]
    assert await book.book([first]) == [first]
    assert await book.totals(day) == BookTotals(1, 5)


async def test_a_guess_gives_way_to_what_is_known_and_never_the_other_way(
    book: CostBook, user: UserId, day: date
) -> None:
    guess, known = as_held(user, "1", day, 300), call(user, "1", day, 5)
    assert await book.book([guess]) == [guess]
    assert await book.totals(day, user) == BookTotals(1, 300)
    assert await book.book([known]) == [known]
    assert await book.book([guess]) == [known]
    assert await book.totals(day, user) == BookTotals(1, 5)


async def test_bookings_at_once_of_one_call_count_once(
    book: CostBook, user: UserId, day: date
) -> None:
    known, guess = call(user, "1", day, 5), as_held(user, "1", day, 300)
    await asyncio.gather(*(book.book([each]) for each in [known, guess] * 10))
    assert await book.totals(day) == BookTotals(1, 5)


async def test_a_guess_that_another_process_books_first_or_meanwhile_gives_way(
    book: CostBook, user: UserId, day: date
) -> None:
    for number in range(30):
        known, guess = call(user, str(number), day, 5), as_held(user, str(number), day, 300)
        late = [book.book([known, call(user, f"{number} again", day, 1)]), book.book([known])]
        await asyncio.gather(book.book([guess]), *late, book.book([guess]))
    assert await book.totals(day) == BookTotals(60, 180)


async def test_a_day_is_opened_for_the_first_time_once(book: CostBook, day: date) -> None:
    opened = await asyncio.gather(*(book.first_opening(day) for _ in range(5)))
    assert sorted(opened) == [False, False, False, False, True]


async def rows(database: Database, user: UserId) -> list[tuple[object, ...]]:
    columns = "day, provider, model, calls, input_tokens, output_tokens, nano_usd"
    query = f"SELECT {columns} FROM user_api_costs WHERE user_id = %s ORDER BY 1, 2, 3"
    return await database.fetch(query, (user,))


async def spoiled(connection: Connection, user: UserId) -> None:
    await connection.execute("UPDATE user_api_costs SET nano_usd = 0 WHERE user_id = %s", (user,))


async def test_daily_rows_can_be_made_again_from_the_log_of_calls(
    database: Database, user: UserId, other_user: UserId, day: date
) -> None:
    book = PostgresCosts(database)
    calls = [call(user, "1", day, 5), call(user, "2", day, 6), call(user, "3", day, 7, "other")]
    await book.book([*calls, as_held(user, "4", day, 9), as_held(user, "5", day, 9)])
    await book.book([call(user, "4", day, 8), call(other_user, "1", day, 3)])
    kept, others = await rows(database, user), await rows(database, other_user)
    assert [row[1:] for row in kept] == [
        ("groq", "llama", 3, 19, 21, 19),
        ("groq", "other", 1, 7, 7, 7),
        ("unknown", "unknown", 1, 0, 0, 9),
    ]
    await database.write(user, lambda connection: spoiled(connection, user))
    await book.rebuild(user)
    assert await rows(database, user) == kept
    assert await rows(database, other_user) == others


async def test_a_call_is_booked_once_though_every_connection_was_lost(
    own_database: str, user: UserId, day: date
) -> None:
    async with open_database(own_database, write_timeout_s=30) as database:
        book = PostgresCosts(database)
        await book.book([call(user, "1", day, 5)])
        await database.fetch(_LOSE_OTHERS)
        again = [call(user, number, day, 5) for number in ("1", "2")]
        assert [await book.book([each]) for each in again] == [[each] for each in again]
        assert await book.totals(day, user) == BookTotals(2, 10)


_LOSE_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_BY_ANOTHER = """
WITH call AS (
    INSERT INTO api_calls
    VALUES (%(user)s, 'by another', now(), %(day)s, 'groq', 'llama', 5, 7, 5)
)
INSERT INTO user_api_costs VALUES (%(user)s, %(day)s, 'groq', 'llama', 1, 5, 7, 5)
"""
_WAITING = """
SELECT FROM pg_locks WHERE NOT granted AND database = (
    SELECT oid FROM pg_database WHERE datname = current_database())
"""


async def test_daily_rows_are_made_again_when_nobody_is_booking(
    database: Database, database_url: str, user: UserId, day: date
) -> None:
    book = PostgresCosts(database)
    async with await psycopg.AsyncConnection.connect(database_url) as another:
        await another.execute(_BY_ANOTHER, {"user": user, "day": day})
        rebuilding = asyncio.create_task(book.rebuild(user))
        while not await database.fetch(_WAITING):
            assert not rebuilding.done()
            await asyncio.sleep(0.01)
        await another.commit()
        await rebuilding
    assert await book.totals(day, user) == BookTotals(1, 5)
