"""The troubles: each is made while its block lasts, and over when the block ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from evals.drills.drill import Trouble
from evals.drills.scene import Scene
from loadtests.stub_provider import Behaviour
from rag_core.adapters.generators import ScriptedGenerator
from rag_core.adapters.postgres import open_database
from rag_core.bootstrap import open_spending
from rag_core.domain import Prices, Usage, UserId
from rag_core.errors import BudgetExhausted
from rag_core.events import ignore

_HOUR_S = 3_600.0
_SMALLEST_CALL = 50
"""Tokens, at a five-thousandth of a cent: no call of an application is as cheap."""


def provider_does(*behaviours: Behaviour) -> Trouble:
    """The provider behaves so."""

    @asynccontextmanager
    async def trouble(scene: Scene) -> AsyncIterator[None]:
        await scene.stub.behave(*behaviours)
        yield
        await scene.stub.behave()

    return trouble


def budget_spent(*, raised_to_usd: float) -> Trouble:
    """Another worker spends what is left of the day's budget; then the owner raises it."""

    @asynccontextmanager
    async def trouble(scene: Scene) -> AsyncIterator[None]:
        await _spend_the_rest(scene)
        yield
        scene.application = await scene.open(budget_all_usd=raised_to_usd)

    return trouble


async def _spend_the_rest(scene: Scene) -> None:
    """In ever smaller calls, until the ledger refuses the smallest."""
    tokens, asker = 1_000_000, UserId("another")
    other = ScriptedGenerator([], name="other", prices=Prices(0.0000002, 0.0))
    async with (
        open_database(scene.postgres.url) as database,
        open_spending(scene.settings, database, scene.valkey.url, scene.clock, ignore) as spending,
    ):
        while tokens >= _SMALLEST_CALL:
            try:
                async with spending.paid(asker, uuid4().hex, other, tokens, 1) as paid:
                    paid.used(Usage(tokens, 0))
            except BudgetExhausted:
                tokens //= 2


def provider_gone_for_an_hour(*behaviours: Behaviour) -> Trouble:
    """The provider behaves so for an hour, nearly all of which passes at once, at the end."""

    @asynccontextmanager
    async def trouble(scene: Scene) -> AsyncIterator[None]:
        await scene.stub.behave(*behaviours)
        yield
        await scene.set_ahead(_HOUR_S)
        await scene.stub.behave()

    return trouble


@asynccontextmanager
async def redis_frozen(scene: Scene) -> AsyncIterator[None]:
    """SIGSTOP: the process is there, but does nothing."""
    with scene.valkey.frozen():
        yield


@asynccontextmanager
async def redis_killed(scene: Scene) -> AsyncIterator[None]:
    """kill -9; it comes back empty."""
    await scene.valkey.kill()
    yield
    await scene.valkey.start()


@asynccontextmanager
async def postgres_frozen(scene: Scene) -> AsyncIterator[None]:
    """SIGSTOP to all its processes; then it is killed and started again."""
    with scene.postgres.frozen():
        yield
    await scene.postgres.restart()
