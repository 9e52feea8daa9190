"""What was spent, read from the tables that settling fills."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta

from rag_core.adapters.postgres.database import Database
from rag_core.budget import (
    USUAL_DAYS,
    Grouping,
    HourSpend,
    RecentSpend,
    Spend,
    UserSpending,
)
from rag_core.budget.day_costs import DayTotals
from rag_core.domain.user import UserId

_GROUPS: dict[Grouping, str] = {
    "user": "user_id",
    "day": "day::text",
    "week": "date_trunc('week', day)::date::text",
    "month": "date_trunc('month', day)::date::text",
    "provider": "provider",
    "model": "model",
}
_IN_TIME = frozenset(("day", "week", "month"))

# A sum of bigints is numeric; no sum here comes near to what a bigint holds, which is $9e9.
_SPEND = """
SELECT {group} AS name, sum(calls)::bigint, sum(input_tokens)::bigint, sum(output_tokens)::bigint,
       sum(nano_usd)::bigint AS nano_usd
FROM user_api_costs
WHERE day BETWEEN %(since)s AND %(until)s {whose}
GROUP BY name ORDER BY {order} LIMIT %(top)s
"""

# The usual hour is asked for only where the running one has cost enough to be a spike.
_SPENDING = """
SELECT NULL, coalesce(sum(nano_usd), 0)::bigint, NULL, NULL
FROM user_api_costs WHERE day = %(day)s
UNION ALL
SELECT users.id, day.nano_usd, hour.nano_usd, usual.nano_usd
FROM unnest(%(users)s::text[]) AS users (id)
CROSS JOIN LATERAL (
    SELECT coalesce(sum(nano_usd), 0)::bigint AS nano_usd
    FROM user_api_costs WHERE user_id = users.id AND day = %(day)s
) AS day
CROSS JOIN LATERAL (
    SELECT coalesce(sum(nano_usd), 0)::bigint AS nano_usd
    FROM api_calls WHERE user_id = users.id AND at >= %(hour)s
) AS hour
LEFT JOIN LATERAL (
    SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY spent) AS nano_usd
    FROM (
        SELECT sum(nano_usd)::bigint AS spent FROM api_calls
        WHERE user_id = users.id AND at >= %(usual_since)s AND at < %(hour)s
        GROUP BY date_trunc('hour', at, 'UTC') HAVING sum(nano_usd) > 0
    ) AS hours
) AS usual ON hour.nano_usd >= %(usual_above)s
"""

_HOURLY = """
SELECT date_trunc('hour', at, 'UTC') AS hour, sum(nano_usd)::bigint
FROM api_calls
WHERE at >= %(since)s AND at < %(until)s AND day >= %(since)s::date - 1 {whose}
GROUP BY hour ORDER BY hour
"""
_WHOSE = "AND user_id = %(user)s"

_DAY = """
SELECT coalesce(sum(spent), 0)::bigint, coalesce(max(spent), 0)::bigint,
       count(*) FILTER (WHERE spent > 0 AND spent >= %(nearly)s)
FROM (
    SELECT sum(nano_usd)::bigint AS spent FROM user_api_costs WHERE day = %(day)s GROUP BY user_id
) AS users
"""


class PostgresCostReport:
    """CostReport, SpendSource and DayCosts over `user_api_costs` and `api_calls`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def spend(
        self,
        by: Grouping,
        *,
        since: date,
        until: date,
        user: UserId | None = None,
        top: int | None = None,
    ) -> list[Spend]:
        """See `CostReport`."""
        statement = _SPEND.format(
            group=_GROUPS[by],
            order="name DESC" if by in _IN_TIME else "nano_usd DESC, name",
            whose=_WHOSE if user else "",
        )
        parameters = {"since": since, "until": until, "user": user, "top": top}
        rows = await self._database.fetch(statement, parameters)
        groups = [
            Spend(
                by=by, group=name, calls=calls, input_tokens=read, output_tokens=wrote, nano_usd=n
            )
            for name, calls, read, wrote, n in rows
        ]
        return groups[::-1] if by in _IN_TIME else groups

    async def spending(
        self, users: Collection[UserId], at: datetime, *, usual_above_nano: int
    ) -> RecentSpend:
        """See `SpendSource`."""
        hour = at.replace(minute=0, second=0, microsecond=0)
        parameters = {
            "users": list(users),
            "day": at.date(),
            "hour": hour,
            "usual_since": hour - timedelta(days=USUAL_DAYS),
            "usual_above": usual_above_nano,
        }
        (everybody, *rows) = await self._database.fetch(_SPENDING, parameters)
        return RecentSpend(
            all_day_nano=everybody[1],
            users=tuple(
                UserSpending(user=user, day_nano=day, hour_nano=hour, usual_hour_nano=usual)
                for user, day, hour, usual in rows
            ),
        )

    async def hourly(
        self, since: datetime, until: datetime, *, user: UserId | None = None
    ) -> list[HourSpend]:
        """See `SpendSource`."""
        statement = _HOURLY.format(whose=_WHOSE if user else "")
        parameters = {"since": since, "until": until, "user": user}
        rows = await self._database.fetch(statement, parameters)
        return [HourSpend(hour, nano_usd) for hour, nano_usd in rows]

    async def day(self, day: date, *, user_cap_nano: int) -> DayTotals:
        """See `DayCosts`."""
        parameters = {"day": day, "nearly": user_cap_nano * 99 // 100}
        ((everybody, top, over),) = await self._database.fetch(_DAY, parameters)
        return DayTotals(all_nano=everybody, top_user_nano=top, users_over=over)
