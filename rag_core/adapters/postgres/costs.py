"""What was spent, in Postgres: the log of calls, and a user's daily rows beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import Any

from rag_core.adapters.postgres.connection import Connection
from rag_core.adapters.postgres.database import Database
from rag_core.budget.ledger import UNKNOWN, BookTotals, Call, Spent
from rag_core.domain.cost import Usage
from rag_core.domain.user import UserId

_ADDED = """
ON CONFLICT (user_id, day, provider, model) DO UPDATE SET
    calls = daily.calls + excluded.calls,
    input_tokens = daily.input_tokens + excluded.input_tokens,
    output_tokens = daily.output_tokens + excluded.output_tokens,
    nano_usd = daily.nano_usd + excluded.nano_usd
"""

# A call of which nothing is booked yet, as nearly all are. No turn is taken: what is booked of it
# by others at the same moment makes this do nothing, or the other.
_BOOK_NEW = f"""
WITH booked AS (
    INSERT INTO api_calls
        (user_id, call_id, at, day, provider, model, input_tokens, output_tokens, nano_usd)
    VALUES (%(user)s, %(call)s, now(), %(day)s, %(provider)s, %(model)s,
            %(input)s, %(output)s, %(nano)s)
    ON CONFLICT DO NOTHING
    RETURNING *
)
INSERT INTO user_api_costs AS daily
    (user_id, day, provider, model, calls, input_tokens, output_tokens, nano_usd)
SELECT user_id, day, provider, model, 1, input_tokens, output_tokens, nano_usd FROM booked
{_ADDED}RETURNING calls
"""

# Who books what may be booked already takes turns with others who do, for one user: each statement
# then sees all that was booked before. A guess always does, so that none comes between.
_TURN = "SELECT pg_advisory_xact_lock(hashtextextended('costs ' || %s, 0))"

# A guess gives way to what is known; anything else stays as it was booked first.
_BOOK = f"""
WITH before AS (
    SELECT * FROM api_calls WHERE user_id = %(user)s AND call_id = %(call)s
), booked AS (
    INSERT INTO api_calls AS kept
        (user_id, call_id, at, day, provider, model, input_tokens, output_tokens, nano_usd)
    VALUES (%(user)s, %(call)s, now(), %(day)s, %(provider)s, %(model)s,
            %(input)s, %(output)s, %(nano)s)
    ON CONFLICT (user_id, call_id) DO UPDATE SET
        at = excluded.at, provider = excluded.provider, model = excluded.model,
        input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
        nano_usd = excluded.nano_usd
        WHERE kept.provider = '{UNKNOWN}' AND excluded.provider <> '{UNKNOWN}'
    RETURNING *
), changes AS (
    SELECT *, 1 AS sign FROM booked
    UNION ALL SELECT *, -1 FROM before WHERE EXISTS (SELECT FROM booked)
)
INSERT INTO user_api_costs AS daily
    (user_id, day, provider, model, calls, input_tokens, output_tokens, nano_usd)
SELECT user_id, day, provider, model, sum(sign), sum(sign * input_tokens),
       sum(sign * output_tokens), sum(sign * nano_usd)
FROM changes GROUP BY user_id, day, provider, model
{_ADDED}"""

_CLEAN = "DELETE FROM user_api_costs WHERE user_id = %s AND calls = 0"

_COLUMNS = "user_id, call_id, day, provider, model, input_tokens, output_tokens, nano_usd"
_STANDS = f"SELECT {_COLUMNS} FROM api_calls WHERE user_id = %s AND call_id = ANY(%s)"
_OF_DAY = f"SELECT {_COLUMNS} FROM api_calls WHERE day = %s"

_TOTALS = """
SELECT coalesce(sum(calls), 0)::bigint, coalesce(sum(nano_usd), 0)::bigint
FROM user_api_costs WHERE day = %(day)s AND (%(user)s::text IS NULL OR user_id = %(user)s)
"""

# Whoever books meanwhile waits, without a turn too.
_ALONE = "LOCK TABLE user_api_costs IN SHARE ROW EXCLUSIVE MODE"
_CLEAR = "DELETE FROM user_api_costs WHERE user_id = %s"
_REBUILD = """
INSERT INTO user_api_costs
    (user_id, day, provider, model, calls, input_tokens, output_tokens, nano_usd)
SELECT user_id, day, provider, model, count(*), sum(input_tokens), sum(output_tokens),
       sum(nano_usd)
FROM api_calls WHERE user_id = %s GROUP BY user_id, day, provider, model
"""

_LEDGER = UserId("ledger")


class PostgresCosts:
    """CostBook in `api_calls`, with `user_api_costs` kept by the same transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def book(self, calls: Sequence[Call]) -> Sequence[Call]:
        """See `CostBook`; the calls of one user in one transaction."""
        booked: list[Call] = []
        for user, group in groupby(sorted(calls, key=attrgetter("user")), attrgetter("user")):
            of_user = list(group)
            booked += of_user if await self._new(of_user) else await self._book(user, of_user)
        return booked

    async def _new(self, calls: list[Call]) -> bool:
        """Whether it was one call that is known and was not booked yet, and is now."""
        if len(calls) > 1 or calls[0].spent.provider == UNKNOWN:
            return False
        return bool(await self._database.write_one(_BOOK_NEW, _row(calls[0])))

    async def _book(self, user: UserId, calls: list[Call]) -> list[Call]:
        async def work(connection: Connection) -> list[Call]:
            await connection.execute(_TURN, (user,))
            for call in calls:
                await connection.execute(_BOOK, _row(call))
            await connection.execute(_CLEAN, (user,))
            stands = await connection.execute(_STANDS, (user, [call.call_id for call in calls]))
            return [_call(*row) for row in await stands.fetchall()]

        return await self._database.write(_turn_of(user), work)

    async def first_opening(self, day: date) -> bool:
        """See `CostBook`."""

        async def work(connection: Connection) -> bool:
            statement = "INSERT INTO ledger_days VALUES (%s) ON CONFLICT DO NOTHING RETURNING 1"
            return await (await connection.execute(statement, (day,))).fetchone() is not None

        return await self._database.write(_LEDGER, work)

    async def totals(self, day: date, user: UserId | None = None) -> BookTotals:
        """See `CostBook`."""
        ((calls, nano_usd),) = await self._database.fetch(_TOTALS, {"day": day, "user": user})
        return BookTotals(int(calls), int(nano_usd))

    async def calls(self, day: date) -> Sequence[Call]:
        """See `CostBook`."""
        return [_call(*row) for row in await self._database.fetch(_OF_DAY, (day,))]

    async def rebuild(self, user: UserId) -> None:
        """Make the user's daily rows again from the log of calls.

        Raises:
            DatabaseUnavailable: Postgres cannot be reached.
        """

        async def work(connection: Connection) -> None:
            await connection.execute(_TURN, (user,))
            await connection.execute(_ALONE)
            await connection.execute(_CLEAR, (user,))
            await connection.execute(_REBUILD, (user,))

        await self._database.write(_turn_of(user), work)


def _turn_of(user: UserId) -> UserId:
    """Booking waits for booking only, not for somebody who saves the user's notes."""
    return UserId(f"costs {user}")


def _row(call: Call) -> Mapping[str, Any]:
    spent = call.spent
    return {
        "user": call.user,
        "call": call.call_id,
        "day": call.day,
        "provider": spent.provider,
        "model": spent.model,
        "input": spent.usage.input_tokens,
        "output": spent.usage.output_tokens,
        "nano": spent.nano_usd,
    }


def _call(
    user: str, call: str, day: date, provider: str, model: str, read: int, written: int, nano: int
) -> Call:
    return Call(UserId(user), call, day, Spent(provider, model, Usage(read, written), nano))
