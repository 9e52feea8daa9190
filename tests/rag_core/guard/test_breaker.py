"""Workers that share a breaker: one state, one probe at a time, views half a second old at most."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from rag_core.clock import ManualClock
from rag_core.errors import BreakerOpen, CacheUnavailable
from rag_core.events import BreakerChanged, Event
from rag_core.guard import (
    VIEW_S,
    Breaker,
    BreakerRules,
    Circuit,
    Held,
    MemoryBreakerStore,
    Ticket,
)


class FlakyStore:
    """A store of this process that can be away; counts what it was asked."""

    def __init__(self, clock: ManualClock) -> None:
        self.inner = MemoryBreakerStore(clock)
        self.away = False
        self.asked = 0

    async def read(self) -> Held:
        self._ask()
        return await self.inner.read()

    async def swap(self, held: Held, circuit: Circuit) -> Held:
        self._ask()
        await asyncio.sleep(0)  # others come between
        after = await self.inner.swap(held, circuit)
        await asyncio.sleep(0)
        return after

    def _ask(self) -> None:
        self.asked += 1
        if self.away:
            raise CacheUnavailable("away")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(clock: ManualClock) -> FlakyStore:
    return FlakyStore(clock)


@pytest.fixture
def fleet(clock: ManualClock, store: FlakyStore) -> list[Breaker]:
    return [Breaker("provider", clock=clock, store=store) for _ in range(8)]


async def fail(*breakers: Breaker, times: int = 1) -> None:
    for _ in range(times):
        for breaker in breakers:
            await breaker.failed(await breaker.admit())


async def admitted(breaker: Breaker) -> Ticket | None:
    try:
        return await breaker.admit()
    except BreakerOpen:
        return None


async def opened(fleet: list[Breaker], clock: ManualClock, *, for_s: float = 0.0) -> None:
    await fail(fleet[0], times=5)
    clock.advance(for_s)


async def test_failures_of_all_workers_count_together(fleet: list[Breaker]) -> None:
    await fail(*fleet[:4])
    assert fleet[4].state == "closed"
    await fail(fleet[4])
    assert fleet[4].state == "open"
    with pytest.raises(BreakerOpen) as refused:
        await fleet[4].admit()
    assert refused.value.retry_after_s == pytest.approx(30)


async def test_failures_at_the_same_moment_are_all_counted(fleet: list[Breaker]) -> None:
    tickets = [await breaker.admit() for breaker in fleet]
    both = zip(fleet, tickets, strict=True)
    await asyncio.gather(*(breaker.failed(ticket) for breaker, ticket in list(both)[:5]))
    assert "open" in {breaker.state for breaker in fleet[:5]}


async def test_every_worker_knows_of_it_after_half_a_second(
    fleet: list[Breaker], clock: ManualClock
) -> None:
    assert all([await admitted(breaker) for breaker in fleet])
    await opened(fleet, clock, for_s=VIEW_S)
    assert not any([await admitted(breaker) for breaker in fleet])


async def test_a_success_through_a_closed_breaker_asks_nobody(
    fleet: list[Breaker], store: FlakyStore, clock: ManualClock
) -> None:
    await fleet[0].admit()
    asked = store.asked
    for _ in range(100):
        clock.advance(VIEW_S / 101)
        await fleet[0].succeeded(await fleet[0].admit())
    assert store.asked == asked


async def test_one_probe_at_a_time_for_all_and_three_good_ones_close_it(
    fleet: list[Breaker], clock: ManualClock
) -> None:
    await opened(fleet, clock, for_s=30)
    for _ in range(3):
        tickets = await asyncio.gather(*map(admitted, fleet), *map(admitted, fleet))
        ((prober, ticket),) = [
            (breaker, ticket)
            for breaker, ticket in zip([*fleet, *fleet], tickets, strict=True)
            if ticket
        ]
        clock.advance(VIEW_S)
        assert not any(await asyncio.gather(*map(admitted, fleet)))
        await prober.succeeded(ticket)
        clock.advance(VIEW_S)
    assert all(await asyncio.gather(*map(admitted, fleet)))


async def test_a_failed_probe_opens_it_for_all_for_the_whole_time_again(
    fleet: list[Breaker], clock: ManualClock
) -> None:
    await opened(fleet, clock, for_s=30)
    await fail(fleet[3])
    clock.advance(29.9)
    assert not any(await asyncio.gather(*map(admitted, fleet)))
    clock.advance(0.1)
    assert await admitted(fleet[5])


async def test_an_abandoned_probe_makes_room_for_another(
    fleet: list[Breaker], clock: ManualClock
) -> None:
    await opened(fleet, clock, for_s=30)
    await fleet[1].abandoned(await fleet[1].admit())
    assert await admitted(fleet[2])


@pytest.mark.parametrize("turns", [1, 2])
async def test_who_is_cancelled_while_asking_for_a_probe_makes_room_for_another(
    fleet: list[Breaker], clock: ManualClock, turns: int
) -> None:
    """Before or after it was granted."""
    await opened(fleet, clock, for_s=30)
    asking = asyncio.create_task(fleet[1].admit())
    for _ in range(turns):
        await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert asking.cancelled()
    assert await admitted(fleet[2])


async def test_a_killed_prober_is_replaced_when_its_lease_ends(
    fleet: list[Breaker], clock: ManualClock
) -> None:
    await opened(fleet, clock, for_s=30)
    lost = await fleet[1].admit()
    clock.advance(34.9)
    assert not await admitted(fleet[2])
    clock.advance(VIEW_S)
    ticket = await fleet[2].admit()
    await fleet[1].failed(lost)
    await fleet[2].succeeded(ticket)
    assert fleet[2].state == "half-open"


@pytest.mark.parametrize("other", [0, 1])
async def test_a_failure_of_a_call_from_before_the_last_transition_is_not_counted(
    fleet: list[Breaker], clock: ManualClock, other: int
) -> None:
    """Whether or not its worker has seen the transition."""
    stragglers = [await fleet[0].admit() for _ in range(5)]
    await fail(fleet[other], times=5)
    clock.advance(30)
    for _ in range(3):
        await fleet[other].succeeded(await fleet[other].admit())
    for ticket in stragglers:
        await fleet[0].failed(ticket)
    await fail(fleet[0], times=4)
    assert fleet[0].state == "closed"


async def test_of_many_who_come_at_once_when_a_probe_is_due_one_asks_the_store(
    fleet: list[Breaker], store: FlakyStore, clock: ManualClock
) -> None:
    await opened(fleet, clock, for_s=30 - VIEW_S / 2)
    assert not await admitted(fleet[0])
    clock.advance(VIEW_S / 2)
    asked = store.asked
    tickets = await asyncio.gather(*(admitted(fleet[0]) for _ in range(100)))
    assert sum(ticket is not None for ticket in tickets) == 1
    assert store.asked - asked <= 3


async def test_while_the_store_is_away_each_worker_is_on_its_own(
    fleet: list[Breaker], store: FlakyStore, clock: ManualClock
) -> None:
    await asyncio.gather(*map(admitted, fleet))
    store.away = True
    clock.advance(VIEW_S)
    await fail(fleet[0], times=5)
    assert not await admitted(fleet[0])
    assert await admitted(fleet[1])


async def test_a_store_that_is_away_is_asked_once_in_half_a_second(
    fleet: list[Breaker], store: FlakyStore, clock: ManualClock
) -> None:
    store.away = True
    await fail(fleet[0], times=3)
    assert store.asked == 1
    clock.advance(VIEW_S)
    await fail(fleet[0])
    assert store.asked == 2


async def test_what_a_worker_found_out_meanwhile_is_everyones_when_the_store_is_back(
    fleet: list[Breaker], store: FlakyStore, clock: ManualClock
) -> None:
    await asyncio.gather(*map(admitted, fleet))
    store.away = True
    clock.advance(VIEW_S)
    await fail(fleet[0], times=5)
    store.away = False
    clock.advance(VIEW_S)
    assert not await admitted(fleet[0])
    clock.advance(VIEW_S)
    assert not any(await asyncio.gather(*map(admitted, fleet)))


async def test_a_store_that_lost_everything_learns_the_state_again(
    fleet: list[Breaker], store: FlakyStore, clock: ManualClock
) -> None:
    await opened(fleet, clock)
    store.inner = MemoryBreakerStore(clock)
    clock.advance(VIEW_S)
    assert not await admitted(fleet[0])
    assert not await admitted(fleet[1])


async def test_every_transition_is_an_event_once(clock: ManualClock) -> None:
    events: list[Event] = []
    breaker = Breaker("groq", clock=clock, listener=events.append)
    await fail(breaker, times=5)
    clock.advance(30)
    for _ in range(3):
        await breaker.succeeded(await breaker.admit())
    assert events == [
        BreakerChanged("groq", "closed", "open"),
        BreakerChanged("groq", "open", "half-open"),
        BreakerChanged("groq", "half-open", "closed"),
    ]


async def test_it_says_how_long_calls_are_refused(fleet: list[Breaker], clock: ManualClock) -> None:
    assert fleet[0].open_for_s == 0
    await opened(fleet, clock, for_s=12)
    assert fleet[0].open_for_s == pytest.approx(18)
    clock.advance(18)
    assert fleet[0].open_for_s == 0
    await fleet[0].admit()
    assert 0 < fleet[0].open_for_s <= VIEW_S
    clock.advance(VIEW_S)
    assert fleet[0].open_for_s == 0


class FleetModel(RuleBasedStateMachine):
    """Workers in any order: at most one probe in flight, and no view older than half a second."""

    WORKERS = 3

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.store = MemoryBreakerStore(self.clock)
        rules = BreakerRules(failures=3, window_s=10, open_s=5, probes=2, lease_s=7)
        self.fleet = [
            Breaker("model", clock=self.clock, rules=rules, store=self.store)
            for _ in range(self.WORKERS)
        ]
        self.calls: list[tuple[Breaker, Ticket, float]] = []
        self.not_closed_since: float | None = None

    @rule(seconds=st.sampled_from([0.1, 0.4, 0.5, 1, 4.5, 5, 7, 11]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(worker=st.integers(0, WORKERS - 1))
    def call(self, worker: int) -> None:
        breaker = self.fleet[worker]
        ticket = asyncio.run(admitted(breaker))
        if ticket is None:
            return
        if not ticket.probe and self.not_closed_since is not None:
            assert self.clock.now() - self.not_closed_since < VIEW_S
        self.calls.append((breaker, ticket, self.clock.now()))

    @rule(turn=st.integers(0, 9), outcome=st.sampled_from(["succeeded", "failed", "abandoned"]))
    def end(self, turn: int, outcome: str) -> None:
        if self.calls:
            breaker, ticket, _ = self.calls.pop(turn % len(self.calls))
            asyncio.run(getattr(breaker, outcome)(ticket))

    @invariant()
    def one_probe_at_most(self) -> None:
        now = self.clock.now()
        probes = [began for _, ticket, began in self.calls if ticket.probe and now - began < 7]
        held = asyncio.run(self.store.read()).circuit
        in_this_state = [began for began in probes if began >= held.since]
        assert len(in_this_state) <= 1
        if held.state == "closed":
            self.not_closed_since = None
        elif self.not_closed_since is None:
            self.not_closed_since = now


TestFleetModel = FleetModel.TestCase
