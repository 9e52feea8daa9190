"""Any interleaving of what can happen to money, against the provider's own meter."""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rag_core.budget import Hold, LedgerStore
from rag_core.clock import ManualClock
from rag_core.errors import BudgetExhausted
from tests.rag_core.budget.parts import BOAZ, CAPS, RUTH, TTL_S, Process, World, memory_world, spent

T = TypeVar("T")
LONGEST_CALL_S = TTL_S - 15
USERS = st.sampled_from((RUTH, BOAZ))
WHICH = st.integers(0, 1_000)
SHARES = st.sampled_from((0.0, 0.3, 1.0))


@dataclass
class Made:
    """A call that a process makes, or made, of a provider with a meter."""

    hold: Hold
    process: Process
    held_at: float
    cost: int | None = None
    """What was settled."""
    charged: int | None = None
    """What the provider charged for it, once it has ended; what was not settled, too."""
    lost: bool = False
    """Whether the store lost it while it was held."""
    told: bool = False
    """Whether the store knows what was settled."""

    @property
    def matters(self) -> bool:
        """Whether something was spent, or settled."""
        return self.cost is not None or bool(self.charged)


class Money(RuleBasedStateMachine):
    """Two processes, a store that may be away or lose everything, a book that may be away.

    Not among the interleavings is what no ledger could know: that a process dies while nobody but
    the process knows what it spent, since the store lost it or is away together with the book.
    """

    mutant: ClassVar[type[LedgerStore] | None] = None

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.world = self.run(self.made_world())
        if self.mutant:
            self.world.store = self.mutant(self.world.store)  # type: ignore[call-arg]
        self.processes = [self.world.process(), self.world.process()]
        self.made: list[Made] = []
        self.ids = itertools.count()

    async def made_world(self) -> World:
        return memory_world(ManualClock(86_400.0 * 20_000 + 43_200))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    @property
    def live(self) -> list[Made]:
        return [made for made in self.made if made.charged is None]

    def unbooked(self) -> set[str]:
        """Calls of which the book does not know."""
        booked = self.run(self.world.costs.calls(self.world.today))
        return {made.hold.call_id for made in self.made} - {call.call_id for call in booked}

    @rule(user=USERS, which=WHICH, worst=st.integers(1, 500), share=SHARES)
    def hold(self, user: Any, which: int, worst: int, share: float) -> None:
        self._end_overdue(0)
        process, call_id = self.processes[which % 2], f"call-{next(self.ids)}"
        try:
            hold = self.run(process.ledger.hold(user, call_id, worst, int(worst * share)))
        except BudgetExhausted:
            return
        self.made.append(Made(hold, process, self.world.clock.now()))

    @rule(user=USERS, which=WHICH)
    def hold_much(self, user: Any, which: int) -> None:
        """Half of what a user may spend."""
        self.hold(user, which, CAPS.user_in_ledger // 2, 1.0)

    @precondition(lambda self: self.live)
    @rule(which=WHICH, share=SHARES)
    def settle(self, which: int, share: float) -> None:
        self._settle(self.live[which % len(self.live)], share)

    @precondition(lambda self: any(made.cost is not None for made in self.made))
    @rule(which=WHICH)
    def settle_again(self, which: int) -> None:
        settled = [made for made in self.made if made.cost is not None]
        made = settled[which % len(settled)]
        self.run(made.process.ledger.settle(made.hold, spent(made.cost or 0)))

    @precondition(lambda self: self.live)
    @rule(which=WHICH)
    def release(self, which: int) -> None:
        made = self.live[which % len(self.live)]
        made.charged = 0
        self.run(made.process.ledger.release(made.hold))

    @rule(which=WHICH, share=SHARES)
    def crash(self, which: int, share: float) -> None:
        process = self.processes[which % 2]
        its = [made for made in self.made if made.process is process]
        if any(made.charged is None and made.lost for made in its):
            return  # nobody could know
        untold = {made.hold.call_id for made in its if made.cost is not None and not made.told}
        if untold & self.unbooked():
            return  # nobody else knows yet
        for made in its:
            if made.charged is None:
                made.charged = int(made.hold.nano_usd * share)
        self.processes[which % 2] = self.world.process()
        self.processes[which % 2].costs.away = self.processes[1 - which % 2].costs.away

    @rule(seconds=st.sampled_from((1, 20, 46, 60)))
    def advance(self, seconds: float) -> None:
        self._end_overdue(seconds)
        self.world.clock.advance(seconds)

    @rule(which=WHICH)
    def sweep(self, which: int) -> None:
        self._sweep(self.processes[which % 2])

    @rule(which=WHICH, away=st.booleans(), reply_lost=st.booleans())
    def redis(self, which: int, away: bool, reply_lost: bool) -> None:
        store = self.processes[which % 2].store
        store.away, store.reply_lost = away, reply_lost

    @rule(away=st.booleans())
    def postgres(self, away: bool) -> None:
        for process in self.processes:
            process.costs.away = away
        if not away:  # each tells what only it knows, before anything else is asked
            for process in self.processes:
                self._sweep(process)

    @rule()
    def lose(self) -> None:
        unbooked = self.unbooked()
        dead = [made for made in self.made if made.process not in self.processes]
        if any(made.hold.call_id in unbooked and made.matters for made in dead):
            return  # nobody could know
        self.run(self.world.lose())
        for made in self.made:
            made.lost, made.told = made.charged is None, False

    @invariant()
    def the_provider_never_charges_more_than_a_cap(self) -> None:
        bill: defaultdict[str, int] = defaultdict(int)
        for made in self.made:
            cost = made.hold.nano_usd if made.charged is None else made.charged
            bill["all"] += cost
            bill[made.hold.user] += cost
        assert bill["all"] <= CAPS.all, bill
        assert max(bill[RUTH], bill[BOAZ]) <= CAPS.user, bill

    def teardown(self) -> None:
        try:
            self._comes_to_rest()
        finally:
            self.run(self.closed())
            self.loop.close()

    async def closed(self) -> None:
        """Close what was opened for the world."""

    def _comes_to_rest(self) -> None:
        """Everything is back, nothing is under way: no settled cent is lost, and all agree."""
        for process in self.processes:
            process.store.away = process.store.reply_lost = process.costs.away = False
        for made in self.live:
            self._settle(made, 1.0)
        for seconds in (0, TTL_S + 6, 6, 6):
            self.world.clock.advance(seconds)
            for process in self.processes:
                self.run(process.ledger.sweep())
        booked = {c.call_id: c.spent.nano_usd for c in self.run(self.world.costs.calls(self.today))}
        for made in self.made:
            if made.cost is not None:
                assert booked.get(made.hold.call_id) == made.cost, "a settled cent is lost"
            elif not made.hold.allowed:
                assert booked.get(made.hold.call_id, 0) >= (made.charged or 0), "unpaid"
        for user in (RUTH, BOAZ, None):
            sums = self.run(self.world.sums(user))
            assert sums.spent == self.run(self.world.booked(user)), "store and book disagree"
            assert sums.held == sums.expected == 0, "somebody holds on"

    @property
    def today(self) -> Any:
        return self.world.today

    def _settle(self, made: Made, share: float) -> None:
        made.charged = made.cost = int(made.hold.nano_usd * share)
        self.run(made.process.ledger.settle(made.hold, spent(made.cost)))
        made.told = not made.process.store.away

    def _sweep(self, process: Process) -> None:
        self.run(process.ledger.sweep())
        for made in self.made:
            if made.process is process and made.cost is not None:
                made.told = made.told or not process.store.away

    def _end_overdue(self, seconds: float) -> None:
        """No call outlives its hold by much: `Spending` ends it; those lost must not at all."""
        for made in self.live:
            if made.lost and made.held_at + LONGEST_CALL_S <= self.world.clock.now() + seconds:
                self._settle(made, 1.0)
