"""What a paid call is billed, however it ends."""

from __future__ import annotations

import asyncio

import pytest

from rag_core import errors
from rag_core.adapters.generators import ScriptedGenerator
from rag_core.budget import ENOUGH, ExpectedCosts, Spending, Sums, hold_ttl_s
from rag_core.domain import FREE, Prices, Usage
from rag_core.events import Event, MoneyHeld, MoneySettled
from tests.rag_core.budget.parts import RUTH, TTL_S, World, memory_world

PAID = ScriptedGenerator([], prices=Prices(1e-9, 2e-9))
GIVEN_AWAY = ScriptedGenerator([], prices=FREE)
MOST = Usage(100, 50)
WORST = 200


class Scene:
    """Spending over a ledger in memory."""

    def __init__(self, limit_s: float = 30.0) -> None:
        self.world: World = memory_world()
        self.process = self.world.process()
        self.events: list[Event] = []
        self.expected = ExpectedCosts()
        self.spending = Spending(
            self.process.ledger,
            listener=self.events.append,
            call_limit_s=limit_s,
            expected=self.expected,
        )

    async def call(
        self,
        error: BaseException | None = None,
        *,
        used: Usage | None = None,
        counted: int | None = None,
    ) -> None:
        async with self.spending.paid(RUTH, "1", PAID, 100, 50) as paid:
            if counted is not None:
                paid.counted(counted)
            if used is not None:
                paid.used(used)
            if error:
                raise error

    async def sums(self) -> Sums:
        await self.spending.drained()
        return await self.world.sums(RUTH)


async def test_a_call_is_held_at_its_worst_and_settled_at_what_it_used() -> None:
    scene = Scene()
    async with scene.spending.paid(RUTH, "1", PAID, 100, 50) as paid:
        assert await scene.sums() == Sums(0, WORST, WORST)
        paid.used(Usage(100, 10))
    assert await scene.sums() == Sums(120, 0, 0)
    assert await scene.world.booked(RUTH) == 120
    assert scene.events == [
        MoneyHeld("held"),
        MoneySettled("scripted", "scripted-v1", pytest.approx(120e-9)),
    ]


@pytest.mark.parametrize(
    "error",
    [
        errors.ProviderUnavailable("refused"),
        errors.ProviderRateLimited("slower"),
        errors.ProviderLoading("loading"),
        errors.ProviderOutOfCredit("402"),
        errors.ContextOverflow("too long"),
        errors.BreakerOpen("open"),
        errors.Overloaded("many"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_call_that_the_provider_did_not_serve_costs_nothing(
    error: errors.RagError,
) -> None:
    scene = Scene()
    with pytest.raises(type(error)):
        await scene.call(error)
    assert await scene.sums() == Sums()
    assert await scene.world.booked() == 0
    assert scene.events == [MoneyHeld("held")]


@pytest.mark.parametrize(
    "error",
    [
        errors.ProviderTimeout("slow"),
        errors.ProviderMisbehaved("garbage"),
        errors.ProviderRefused("its rules"),
        asyncio.CancelledError(),
        RuntimeError("a bug"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_call_that_may_have_been_served_costs_what_is_known_of_it_or_its_worst(
    error: BaseException,
) -> None:
    for counted, cost in ((None, WORST), (4, 108), (0, 100)):
        scene = Scene()
        with pytest.raises(type(error)):
            await scene.call(error, counted=counted)
        assert await scene.sums() == Sums(cost, 0, 0)


async def test_a_reader_who_goes_away_is_billed_for_what_came() -> None:
    scene = Scene()
    begun = asyncio.Event()

    async def read() -> None:
        async with scene.spending.paid(RUTH, "1", PAID, 100, 50) as paid:
            paid.counted(7)
            begun.set()
            await asyncio.Event().wait()

    reading = asyncio.create_task(read())
    await begun.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await scene.sums() == Sums(114, 0, 0)


async def test_a_call_cannot_outlive_its_hold() -> None:
    assert hold_ttl_s(30.0) == TTL_S > 30
    scene = Scene(limit_s=0.0)
    with pytest.raises(errors.ProviderTimeout):
        async with scene.spending.paid(RUTH, "1", PAID, 100, 50):
            await asyncio.Event().wait()
    assert await scene.sums() == Sums(WORST, 0, 0)


async def test_a_timeout_within_the_call_is_its_own() -> None:
    with pytest.raises(TimeoutError):
        await Scene().call(TimeoutError())


@pytest.mark.parametrize(
    ("claimed", "cost"), [(Usage(10**12, 10**12), 300), (Usage(-5, -5), 0), (Usage(120, 50), 220)]
)
async def test_a_provider_that_lies_about_usage_cannot_spend_the_budget(
    claimed: Usage, cost: int
) -> None:
    scene = Scene()
    await scene.call(used=claimed)
    assert await scene.sums() == Sums(cost, 0, 0)


async def test_a_provider_without_a_price_never_asks_the_ledger() -> None:
    scene = Scene()
    scene.process.store.away = scene.process.costs.away = True
    async with scene.spending.paid(RUTH, "1", GIVEN_AWAY, 100, 50) as paid:
        paid.used(Usage(100, 10))
    assert scene.events == []


async def test_nobody_is_asked_when_the_budget_is_spent() -> None:
    scene = Scene()
    for n in range(4):
        async with scene.spending.paid(RUTH, f"{n}", PAID, 100, 50) as paid:
            paid.used(MOST)
    await scene.spending.drained()
    with pytest.raises(errors.BudgetExhausted):
        async with scene.spending.paid(RUTH, "last", PAID, 100, 50):
            raise AssertionError("the provider was asked")


async def test_what_is_expected_is_learned_from_calls_of_the_same_model() -> None:
    expected = ExpectedCosts()
    for _ in range(ENOUGH - 1):
        expected.learn(PAID.name, PAID.model, 10)
    assert expected.expected(PAID, 100, 50) == WORST, "too few to believe"
    expected.learn(PAID.name, PAID.model, 10)
    assert expected.expected(PAID, 100, 50) == 120
    assert expected.expected(PAID, 100, 5) == 110, "never more than the worst"
    other = ScriptedGenerator([], model="other", prices=PAID.prices)
    assert expected.expected(other, 100, 50) == WORST
    for _ in range(ENOUGH):
        expected.learn(PAID.name, PAID.model, 40)
    assert expected.expected(PAID, 100, 50) == 180


async def test_a_failed_booking_stops_no_answer() -> None:
    scene = Scene()
    await scene.call(used=Usage(1, 1))
    scene.process.costs.away = scene.process.store.away = True
    with pytest.raises(errors.BudgetExhausted):
        async with scene.spending.paid(RUTH, "2", PAID, 10_000, 0):
            pass
    async with scene.spending.paid(RUTH, "3", PAID, 10, 0) as paid:
        paid.used(Usage(10, 0))
    await scene.spending.drained()
    scene.process.costs.away = scene.process.store.away = False
    await scene.process.ledger.sweep()
    assert await scene.world.booked(RUTH) == 3 + 10
