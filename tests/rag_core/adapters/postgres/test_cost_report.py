"""Sums over what was spent, and whose they are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime

import pandas as pd
import pytest

from rag_core.adapters.postgres import PostgresCostReport, open_database
from rag_core.budget import NANO_PER_USD, Grouping
from rag_core.domain import UserId
from tests.rag_core.adapters.settled_calls import SettledCall, settle

RUTH, BOAZ = UserId("ruth"), UserId("boaz")
ALWAYS = {"since": date(2026, 1, 1), "until": date(2026, 12, 31)}


def _at(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 12, tzinfo=UTC)


CALLS = [
    SettledCall(user=RUTH, at=_at(3, 1), nano_usd=100, provider="groq", model="small"),
    SettledCall(user=RUTH, at=_at(3, 2), nano_usd=200, provider="groq", model="large"),
    SettledCall(user=BOAZ, at=_at(3, 2), nano_usd=1_000, provider="openai", model="large"),
    SettledCall(user=BOAZ, at=_at(3, 2), nano_usd=2_000, provider="openai", model="large"),
    SettledCall(user=RUTH, at=_at(4, 1), nano_usd=50, provider="openai", model="large"),
]


@pytest.fixture
async def costs(own_database: str) -> AsyncIterator[PostgresCostReport]:
    await settle(own_database, CALLS)
    async with open_database(own_database, read_timeout_s=30) as database:
        yield PostgresCostReport(database)


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("user", [("boaz", 3_000), ("ruth", 350)]),
        ("day", [("2026-03-01", 100), ("2026-03-02", 3_200), ("2026-04-01", 50)]),
        # 1 March 2026 is a Sunday.
        ("week", [("2026-02-23", 100), ("2026-03-02", 3_200), ("2026-03-30", 50)]),
        ("month", [("2026-03-01", 3_300), ("2026-04-01", 50)]),
        ("provider", [("openai", 3_050), ("groq", 300)]),
        ("model", [("large", 3_250), ("small", 100)]),
    ],
)
async def test_spend_is_summed_by_each_grouping(
    costs: PostgresCostReport, by: Grouping, expected: list[tuple[str, int]]
) -> None:
    groups = await costs.spend(by, **ALWAYS)
    assert [(group.group, group.nano_usd) for group in groups] == expected
    assert sum(group.calls for group in groups) == len(CALLS)
    assert sum(group.output_tokens for group in groups) == 100 * len(CALLS)


@pytest.mark.parametrize("by", ["user", "day", "week", "month", "provider", "model"])
async def test_nothing_of_another_user_comes_back(costs: PostgresCostReport, by: Grouping) -> None:
    groups = await costs.spend(by, user=RUTH, **ALWAYS)
    assert sum(group.nano_usd for group in groups) == 350
    assert "boaz" not in {group.group for group in groups}
    assert await costs.spend(by, user=UserId("naomi"), **ALWAYS) == []


async def test_both_ends_of_the_days_are_included(costs: PostgresCostReport) -> None:
    groups = await costs.spend("day", since=date(2026, 3, 1), until=date(2026, 3, 2))
    assert [group.group for group in groups] == ["2026-03-01", "2026-03-02"]


async def test_the_top_are_the_dearest_users_and_the_latest_days(costs: PostgresCostReport) -> None:
    (user,) = await costs.spend("user", top=1, **ALWAYS)
    days = await costs.spend("day", top=2, **ALWAYS)
    assert user.group == "boaz"
    assert [group.group for group in days] == ["2026-03-02", "2026-04-01"]


async def test_the_rows_make_a_data_frame(costs: PostgresCostReport) -> None:
    frame = pd.DataFrame(group.record() for group in await costs.spend("model", **ALWAYS))
    assert list(frame["model"]) == ["large", "small"]
    assert frame["usd"].sum() == pytest.approx(3_350 / NANO_PER_USD)
