"""Paid calls as the tables of migration 0003 hold them, written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

import psycopg

from rag_core.domain import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledCall:
    """One row of api_calls; its day is that of `at`."""

    user: UserId
    at: datetime
    nano_usd: int
    provider: str = "groq"
    model: str = "small"
    input_tokens: int = 1_000
    output_tokens: int = 100
    call_id: str = field(default_factory=lambda: uuid4().hex)


_CALL = "INSERT INTO api_calls VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
_DAY = """
INSERT INTO user_api_costs VALUES (%s, %s, %s, %s, 1, %s, %s, %s)
ON CONFLICT (user_id, day, provider, model) DO UPDATE SET
    calls = user_api_costs.calls + 1,
    input_tokens = user_api_costs.input_tokens + excluded.input_tokens,
    output_tokens = user_api_costs.output_tokens + excluded.output_tokens,
    nano_usd = user_api_costs.nano_usd + excluded.nano_usd
"""


async def settle(database_url: str, calls: Sequence[SettledCall]) -> None:
    """Both tables, in one transaction."""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        for each in calls:
            day, money = each.at.date(), (each.input_tokens, each.output_tokens, each.nano_usd)
            paid_to = (each.provider, each.model)
            await connection.execute(
                _CALL, (each.user, each.call_id, each.at, day, *paid_to, *money)
            )
            await connection.execute(_DAY, (each.user, day, *paid_to, *money))
