"""Clients that hang up: what is done for them alone ends, is billed, and is not cached half."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from rag_core.domain import Generator, Prices, Tokenizer, UserId
from rag_core.events import Event, MoneySettled, RequestServed
from rag_core.settings import Settings
from tests.rag_core.app.served import EVENTS, Served, open_served
from tests.rag_core.embedded.processes import eventually
from tests.rag_core.held_generator import HeldGenerator
from tests.rag_core.library import note
from tests.rag_core.scene import QUESTION

WORDS = [f"Word{number} is a word of many. " for number in range(20)]


class PaidGenerator(HeldGenerator):
    """Every token costs."""

    prices = Prices(0.001, 0.002)


@pytest.fixture
def held() -> HeldGenerator:
    return PaidGenerator()


@pytest.fixture
async def served(
    settings: Settings, user: UserId, tokenizer: Tokenizer, held: HeldGenerator
) -> AsyncIterator[Served]:
    """A provider that costs, and the user's note on grace."""
    rich = settings.model_copy(update={"budget_user_usd": 100.0, "budget_all_usd": 1_000.0})
    providers: list[Generator] = [held]
    async with open_served(rich, user, tokenizer, providers=providers) as served:
        (await served.put(note("grace"))).raise_for_status()
        served.events.clear()
        yield served


async def cut_after_the_first_token(served: Served) -> None:
    """Ask for a stream, and hang up in the middle of it."""
    async with served.client.stream(
        "POST", "/assistant/query", json={"question": QUESTION}, headers=EVENTS
    ) as response:
        assert await anext(response.aiter_lines()) == "event: token"


async def test_a_stream_that_is_cut_ends_the_call_is_billed_and_not_cached(
    served: Served, held: HeldGenerator
) -> None:
    asking = asyncio.create_task(cut_after_the_first_token(served))
    await held.asked()
    held.say(*WORDS)
    await asking
    await eventually(lambda: bool(served.told(RequestServed)))
    (ended,) = served.told(RequestServed)
    assert (ended.status, ended.route) == (499, "/assistant/query")
    await eventually(lambda: held.open == 0)
    (settled,) = served.told(MoneySettled)
    written = settled.cost_usd - 0.001 * 100
    assert written > 0.002 * 20 * 5, "twenty sentences were written, and are paid for"
    again = asyncio.create_task(served.ask(QUESTION))
    await held.asked(2)
    held.say("Grace is a gift [1].")
    held.end()
    assert (await again).json()["provenance"] == "FRESH"


async def test_who_waits_for_a_whole_answer_and_hangs_up_ends_the_call_too(
    served: Served, held: HeldGenerator
) -> None:
    async def ask() -> None:
        with pytest.raises(httpx.ReadTimeout):
            await served.client.post("/assistant/query", json={"question": QUESTION}, timeout=0.5)

    asking = asyncio.create_task(ask())
    await held.asked()
    await asking
    await eventually(lambda: held.open == 0)
    await eventually(lambda: bool(served.told(RequestServed)))
    assert served.told(RequestServed)[0].status == 499


async def test_the_others_of_a_flight_get_their_answer_when_one_hangs_up(
    served: Served, held: HeldGenerator
) -> None:
    stays = asyncio.create_task(served.ask(QUESTION, **EVENTS))
    await held.asked()
    goes = asyncio.create_task(cut_after_the_first_token(served))
    held.say(*WORDS)
    await goes
    await eventually(lambda: any(each.status == 499 for each in served.told(RequestServed)))
    held.say("Grace is a gift [1].")
    held.end()
    reply = await stays
    assert reply.status_code == 200
    assert "event: answer" in reply.text
    assert held.calls == 1
    assert (await served.ask(QUESTION)).json()["provenance"] == "CACHED"


async def test_nothing_is_left_over(served: Served, held: HeldGenerator) -> None:
    before = len(asyncio.all_tasks())
    for _ in range(5):
        calls = held.calls
        asking = asyncio.create_task(cut_after_the_first_token(served))
        await held.asked(calls + 1)
        held.say(*WORDS)
        await asking
        await eventually(lambda: not held.open)  # else the next one joins what is still under way
    gone: list[Event] = served.events
    await eventually(lambda: sum(isinstance(each, RequestServed) for each in gone) == 5)
    await eventually(lambda: len(asyncio.all_tasks()) <= before)
