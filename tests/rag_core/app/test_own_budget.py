"""What is left of the day's budget, told to its user and to nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import repeat
from typing import Any

import pytest

from rag_core.adapters.generators import ScriptedGenerator
from rag_core.domain import Prices, Tokenizer, UserId
from rag_core.settings import Settings
from tests.rag_core.app.served import USER_HEADER, Served, open_served
from tests.rag_core.embedded.processes import eventually
from tests.rag_core.library import note
from tests.rag_core.scene import ANSWER, QUESTION

CENT = Prices(0.0, 0.01 / 5)
"""The answer has five words: it costs a cent."""


def paid() -> ScriptedGenerator:
    return ScriptedGenerator(repeat(ANSWER), prices=CENT)


@pytest.fixture
async def spending(settings: Settings, user: UserId, tokenizer: Tokenizer) -> AsyncIterator[Served]:
    money = {"budget_user_usd": 5.0, "budget_all_usd": 100.0, "budget_allowance_usd": 0.25}
    given = settings.model_copy(update=money)
    async with open_served(given, user, tokenizer, providers=[paid()]) as served:
        (await served.put(note("grace"))).raise_for_status()
        yield served


async def budget_of(served: Served, **headers: str) -> Any:
    reply = await served.client.get("/assistant/limits", headers=headers)
    reply.raise_for_status()
    return reply.json()["budget"]


async def is_settled(served: Served) -> bool:
    return (await budget_of(served))["held_usd"] == 0


async def test_what_an_answer_costs_is_taken_off_its_users_day_and_of_nobody_elses(
    spending: Served,
) -> None:
    before = await budget_of(spending)
    assert (before["spent_usd"], before["held_usd"]) == (0, 0)
    assert before["limit_usd"] == 4.9, "eight processes keep 12.5 thousandths each"
    cost = (await spending.ask(QUESTION)).json()["cost_usd"]
    await eventually(lambda: is_settled(spending))
    after = await budget_of(spending)
    assert cost == pytest.approx(0.01)
    assert after["spent_usd"] == pytest.approx(cost)
    stranger = await budget_of(spending, **{USER_HEADER: "naomi-who-asked-nothing"})
    assert stranger["spent_usd"] == 0


async def test_the_day_begins_anew_at_midnight_utc(spending: Served) -> None:
    await spending.ask(QUESTION)
    await eventually(lambda: is_settled(spending))
    left_s = (await budget_of(spending))["resets_in_s"]
    assert 0 < left_s <= 86_400
    spending.clock.advance(left_s + 1)
    assert (await budget_of(spending))["spent_usd"] == 0


async def test_without_a_cap_there_is_no_limit_but_what_was_spent_is_told(
    settings: Settings, user: UserId, tokenizer: Tokenizer
) -> None:
    uncapped = settings.model_copy(update={"budgets": False})
    async with open_served(uncapped, user, tokenizer, providers=[paid()]) as served:
        (await served.put(note("grace"))).raise_for_status()
        await served.ask(QUESTION)
        await eventually(lambda: _has_spent(served))
        assert (await budget_of(served))["limit_usd"] is None


async def _has_spent(served: Served) -> bool:
    return float((await budget_of(served))["spent_usd"]) > 0


async def test_where_answers_cost_nothing_there_is_no_budget(served: Served) -> None:
    assert await budget_of(served) is None
