"""What holds of a shared breaker whatever workers do, and in any order."""

from __future__ import annotations

import asyncio

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from rag_core.clock import ManualClock
from rag_core.guard import VIEW_S, Breaker, BreakerRules, MemoryBreakerStore, Ticket
from tests.rag_core.guard.breaker.workers import admitted


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
