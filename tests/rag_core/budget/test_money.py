"""No interleaving spends past a cap or loses a settled cent; and the test would notice."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import date
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from rag_core.adapters.redis import RedisClient, open_client
from rag_core.budget import Admission, Call, Caps, Hold
from rag_core.embedded import StackUrls
from tests.rag_core.budget.machine import Money
from tests.rag_core.budget.parts import AwayStore, World, redis_world
from tests.rag_core.cache.parts import PATIENCE_S

THOROUGH = settings(max_examples=100, stateful_step_count=40, deadline=None)
BRIEF = settings(
    max_examples=15,
    phases=[Phase.explicit, Phase.generate],
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
FINDING = settings(
    max_examples=1_000,
    stateful_step_count=40,
    deadline=None,
    phases=[Phase.generate],
    derandomize=True,
)


class MoneyOnRedis(Money):
    """The same on a real server."""

    redis_url: ClassVar[str]
    _opened: AbstractAsyncContextManager[RedisClient]

    async def made_world(self) -> World:
        self._opened = open_client(self.redis_url, call_timeout_s=PATIENCE_S)
        return redis_world(await self._opened.__aenter__())

    async def closed(self) -> None:
        await self._opened.__aexit__(None, None, None)


class HoldsOff(AwayStore):
    """Admits whatever is asked, and holds nothing."""

    async def hold(self, hold: Hold, caps: Caps, *, ask: bool) -> Admission:
        admission = await self.store.hold(hold, caps, ask=ask)
        await self.store.release(hold)
        return replace(admission, verdict="admitted", day=None)


class DoubleSettle(AwayStore):
    """Counts a call each time that it is told of one."""

    _told = 0

    async def record(self, calls: Collection[Call], *, booked: bool) -> None:
        self._told += 1
        again = [replace(call, call_id=f"{call.call_id} {self._told}") for call in calls]
        await self.store.record([*calls, *again], booked=booked)


class NeverClosed(AwayStore):
    """Opens a day that was lost at once."""

    async def hold(self, hold: Hold, caps: Caps, *, ask: bool) -> Admission:
        admission = await self.store.hold(hold, caps, ask=ask)
        if admission.verdict == "closed":
            await self.store.open(hold.day, admission.closing, grants=False)
            admission = await self.store.hold(hold, caps, ask=ask)
        return admission


class GivesBack(AwayStore):
    """Gives the hold of a dead process back, as if the provider had charged nothing."""

    async def hold(self, hold: Hold, caps: Caps, *, ask: bool) -> Admission:
        await self.due(hold.day)
        return await self.store.hold(hold, caps, ask=ask)

    async def due(self, day: date) -> Sequence[Call]:
        due = await self.store.due(day)
        nothing = [replace(c, spent=replace(c.spent, nano_usd=0)) for c in due if c.guessed]
        await self.store.record(nothing, booked=True)
        return [call for call in due if not call.guessed]


def test_no_interleaving_spends_past_a_cap_or_loses_a_settled_cent() -> None:
    run_state_machine_as_test(Money, settings=THOROUGH)


def test_nor_does_one_on_a_real_server(stack: StackUrls) -> None:
    MoneyOnRedis.redis_url = stack.redis_url
    run_state_machine_as_test(MoneyOnRedis, settings=BRIEF)


@pytest.mark.parametrize("mutant", [HoldsOff, DoubleSettle, NeverClosed, GivesBack])
def test_a_ledger_that_is_broken_on_purpose_is_found(mutant: type[AwayStore]) -> None:
    machine = type(f"Money{mutant.__name__}", (Money,), {"mutant": mutant})
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=FINDING)
