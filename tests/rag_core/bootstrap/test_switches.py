"""Switches: what an operator can leave out of the pipeline, and what stays when it is out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import repeat
from typing import Any

import pytest

from rag_core.adapters.generators import ScriptedGenerator, ScriptItem
from rag_core.adapters.postgres import PostgresCosts, open_database
from rag_core.adapters.redis import open_client
from rag_core.bootstrap import Application, assemble
from rag_core.budget import nano
from rag_core.clock import SystemClock
from rag_core.domain import Answer, Prices, Provenance, Tokenizer, UserId
from rag_core.embedded import StackUrls
from rag_core.errors import ProviderUnavailable
from rag_core.events import BreakerChanged, Event
from tests.rag_core.adapters.redis.scenes import keys_of, user_keys
from tests.rag_core.cache.parts import PATIENCE_S
from tests.rag_core.library import CountingEmbedder, note
from tests.rag_core.scene import ANSWER, QUESTION, settings_for
from tests.servers import chosen

DEAR = Prices(0.001, 0.002)
"""So dear that a call costs a good part of a dollar."""


@dataclass(frozen=True)
class Scene:
    """An application with one scripted provider, and its one user."""

    application: Application
    provider: ScriptedGenerator
    embedder: CountingEmbedder
    events: list[Event]
    user: UserId

    async def ask(self, question: str = QUESTION) -> Answer:
        return await self.application.pipeline.answer(question, self.user)


Open = Callable[..., AbstractAsyncContextManager[Scene]]


@pytest.fixture
def opened(own_database: str, user: UserId, tokenizer: Tokenizer) -> Open:
    @asynccontextmanager
    async def scene(script: ScriptItem = ANSWER, **settings: Any) -> AsyncIterator[Scene]:
        provider = ScriptedGenerator(repeat(script), prices=DEAR)
        events, embedder = list[Event](), CountingEmbedder()
        async with assemble(
            settings_for(own_database, provider_retries=0, **settings),
            embedder=embedder,
            providers=[provider],
            tokenizer=tokenizer,
            clock=SystemClock(),
            listener=events.append,
        ) as application:
            await application.ingest.run(user, [note("grace")])
            yield Scene(application, provider, embedder, events, user)

    return scene


@pytest.mark.parametrize(("breakers", "calls"), [(True, 5), (False, 12)])
async def test_without_breakers_every_call_is_made_whatever_failed_before(
    opened: Open, breakers: bool, calls: int
) -> None:
    down = ProviderUnavailable("the provider is down")
    async with opened(down, breakers=breakers, budget_user_usd=1_000.0) as scene:
        answers = [await scene.ask(f"{QUESTION} {number}") for number in range(12)]
    assert {answer.provenance for answer in answers} == {Provenance.DEGRADED}
    assert scene.provider.calls == calls
    assert any(isinstance(event, BreakerChanged) for event in scene.events) is breakers


@pytest.mark.parametrize("budgets", [True, False])
async def test_without_budgets_nobody_is_refused_and_every_call_is_still_booked(
    opened: Open, own_database: str, budgets: bool
) -> None:
    async with opened(budgets=budgets, budget_user_usd=0.01) as scene:
        answers = [await scene.ask(f"{QUESTION} {number}") for number in range(3)]
    made = Provenance.DEGRADED if budgets else Provenance.FRESH
    assert [answer.provenance for answer in answers] == [made] * 3
    async with open_database(own_database, prepare=chosen.PREPARE) as database:
        booked = await PostgresCosts(database).totals(datetime.now(UTC).date(), scene.user)
    assert booked.calls == (0 if budgets else 3)
    assert booked.nano_usd == sum(nano(answer.cost_usd) for answer in answers)


async def test_without_a_cache_everything_is_made_anew(opened: Open, stack: StackUrls) -> None:
    async with opened(cache="off", redis_url=stack.redis_url) as scene:
        scene.embedder.calls = 0
        answers = [await scene.ask() for _ in range(3)]
        assert [answer.provenance for answer in answers] == [Provenance.FRESH] * 3
        assert (scene.provider.calls, scene.embedder.calls) == (3, 3)
        async with open_client(stack.redis_url, call_timeout_s=PATIENCE_S) as redis:
            assert await keys_of(redis, f"rag:{{{scene.user}}}:*") == set()
            assert await keys_of(redis, "rag:{ledger:*}:*"), "money is still shared"


async def test_what_was_cached_before_is_not_served_and_a_purge_still_removes_it(
    opened: Open, stack: StackUrls
) -> None:
    redis_url = stack.redis_url
    async with opened(cache="redis", redis_url=redis_url, redis_budget_s=PATIENCE_S) as before:
        await before.ask()
        assert (await before.ask()).provenance is Provenance.CACHED
    async with (
        opened(cache="off", redis_url=redis_url) as scene,
        open_client(redis_url, call_timeout_s=PATIENCE_S) as redis,
    ):
        assert (await scene.ask()).provenance is Provenance.FRESH
        assert await user_keys(redis, scene.user, "answer")
        await scene.application.notes.delete(scene.user, "grace")
        await scene.application.purge.run(datetime.now(UTC) + timedelta(minutes=1))
        assert await user_keys(redis, scene.user, "answer") == set()
