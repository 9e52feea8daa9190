"""Money in the pipeline: held before a call, booked after it, whatever becomes of the request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import pytest

from rag_core.adapters.generators import Interrupted, ScriptedGenerator, ScriptItem
from rag_core.adapters.postgres import PostgresCosts, open_database
from rag_core.budget import Call, Spent, nano
from rag_core.domain import Flag, Prices, Provenance, Usage, UserId
from rag_core.errors import ProviderUnavailable
from tests.rag_core.conftest import Open
from tests.rag_core.held_generator import USAGE, HeldGenerator
from tests.rag_core.scene import ANSWER, QUESTION
from tests.servers import chosen

PRICES = Prices(0.001, 0.002)
"""So dear that a call costs a good part of a dollar."""


@pytest.fixture
async def booked(own_database: str, user: UserId) -> Callable[[], Any]:
    """What Postgres has of the user, in nano-dollars; to be asked when the application is gone."""

    async def asked() -> int:
        async with open_database(own_database, prepare=chosen.PREPARE) as database:
            day = datetime.now(UTC).date()
            return (await PostgresCosts(database).totals(day, user)).nano_usd

    return asked


def scripted(*script: ScriptItem) -> ScriptedGenerator:
    return ScriptedGenerator(script, prices=PRICES)


async def test_what_an_answer_cost_is_booked(
    before: Open, booked: Callable[[], Any], user: UserId
) -> None:
    async with before(scripted(ANSWER)) as application:
        answer = await application.pipeline.answer(QUESTION, user)
        await application.pipeline.answer(QUESTION, user)
    assert await booked() == nano(answer.cost_usd) > 0


async def test_a_spent_budget_asks_no_provider_and_quotes_the_notes(
    before: Open, booked: Callable[[], Any], user: UserId
) -> None:
    provider = scripted(ANSWER)
    async with before(provider, budget_user_usd=0.01) as application:
        answer = await application.pipeline.answer(QUESTION, user)
    assert (answer.provenance, provider.calls) == (Provenance.DEGRADED, 0)
    assert Flag.BUDGET_SPENT in answer.flags
    assert await booked() == 0


async def test_a_free_provider_answers_when_the_budget_is_spent(before: Open, user: UserId) -> None:
    dear = scripted(ANSWER)
    free = ScriptedGenerator([ANSWER], name="local", prices=Prices(0, 0))
    async with before(dear, free, budget_user_usd=0.01) as application:
        answer = await application.pipeline.answer(QUESTION, user)
    assert (answer.provenance, answer.generator, dear.calls) == (Provenance.FRESH, "local", 0)


async def test_who_leaves_a_stream_pays_for_what_came(
    before: Open, booked: Callable[[], Any], user: UserId
) -> None:
    held = HeldGenerator()
    held.prices = PRICES  # type: ignore[misc]
    async with before(held) as application:
        async with aclosing(application.pipeline.stream(QUESTION, user)) as pieces:
            first = asyncio.ensure_future(anext(pieces))
            await held.asked()
            held.say(*[f"Grace is gift number {i}, as Paul has it [1]. " for i in range(20)])
            await first
        assert held.open == 0
    spent = await booked()
    whole = nano(PRICES.cost_usd(USAGE))
    assert spent > 0
    assert spent != whole


async def test_a_provider_that_refuses_costs_nothing(
    before: Open, booked: Callable[[], Any], user: UserId
) -> None:
    async with before(scripted(ProviderUnavailable("down"))) as application:
        answer = await application.pipeline.answer(QUESTION, user)
    assert answer.provenance is Provenance.DEGRADED
    assert await booked() == 0


async def test_a_stream_that_breaks_costs_what_came(
    before: Open, booked: Callable[[], Any], user: UserId
) -> None:
    long = " ".join(f"Grace is gift number {i} [1]." for i in range(50))
    async with before(scripted(Interrupted(long, ProviderUnavailable("cut")))) as application:
        items = [item async for item in application.pipeline.stream(QUESTION, user)]
    assert Flag.BROKEN_OFF in items[-1].flags  # type: ignore[union-attr]
    assert await booked() > 0


async def test_near_the_cap_answers_are_shorter_and_a_cut_one_is_not_kept(
    before: Open, own_database: str, user: UserId
) -> None:
    """Of a dollar, 95 cents are spent already; the ledger learns that at its first call."""
    spent = Spent("p", "m", Usage(1, 1), nano(0.95))
    async with open_database(own_database, prepare=chosen.PREPARE) as database:
        costs, today = PostgresCosts(database), datetime.now(UTC).date()
        await costs.first_opening(today)
        await costs.book([Call(user, "earlier", today, spent)])
    words = " ".join(["grace"] * 400)
    provider = ScriptedGenerator([ANSWER, words, words], prices=Prices(1e-6, 1e-6))
    async with before(provider, budget_user_usd=1.0, output_tokens=40) as application:
        await application.pipeline.answer("What is grace not?", user)
        for _ in range(2):
            answer = await application.pipeline.answer(QUESTION, user)
            assert answer.provenance is Provenance.FRESH
            assert answer.usage.output_tokens == 20
            assert Flag.BUDGET_TIGHT in answer.flags
