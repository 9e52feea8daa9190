"""A circuit breaker that the workers of a fleet share, and that each has to itself without them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple, Protocol

from rag_core.clock import Clock
from rag_core.errors import BreakerOpen, CacheUnavailable
from rag_core.events import BreakerState, Listener, ignore
from rag_core.guard.circuit import BreakerRules, Circuit, newer
from rag_core.guard.transitions import Transitions

VIEW_S = 0.4
"""Seconds for which a worker believes what it last read of the shared state.

Views of a fleet may be 500 ms apart, and a busy event loop takes its share of them."""

Change = Callable[[Circuit, float], Circuit]
"""What a circuit becomes at a time."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a store holds, at a time of the store's clock."""

    circuit: Circuit
    now_s: float
    version: object
    """Differs whenever the circuit does."""
    swapped: bool = False
    """Whether the call that returned this wrote it."""


class BreakerStore(Protocol):
    """Where the workers of a fleet keep the state of one breaker; it knows no rules."""

    async def read(self) -> Held:
        """What it holds; `Circuit()` when that is nothing.

        Raises:
            CacheUnavailable: it cannot be reached.
        """
        ...

    async def swap(self, held: Held, circuit: Circuit) -> Held:
        """Put `circuit` there, unless somebody else did since `held` was read; what is there then.

        Raises:
            CacheUnavailable: it cannot be reached, or it is not known whether it was written.
        """
        ...


class MemoryBreakerStore:
    """BreakerStore of the breakers within one process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._circuit, self._version = Circuit(), 0

    async def read(self) -> Held:
        """See `BreakerStore`."""
        return Held(self._circuit, self._clock.now(), self._version)

    async def swap(self, held: Held, circuit: Circuit) -> Held:
        """See `BreakerStore`."""
        swapped = held.version == self._version
        if swapped:
            self._circuit, self._version = circuit, self._version + 1
        return replace(await self.read(), swapped=swapped)


class Ticket(NamedTuple):
    """Leave to make one call; it is given back with the call's outcome."""

    since: float
    """When the state that it was given in was entered, in seconds."""
    probe: str = ""
    """The probe's token; empty for a call through a closed breaker."""


class Breaker:
    """Ask `admit` before a call; tell `succeeded`, `failed` or `abandoned` after it.

    The call itself never runs in here: no lock is held while it waits. With a store, the state is
    the fleet's. Each worker's view of it is good for `VIEW_S`, so a success through a closed
    breaker costs no round trip. While the store is away the worker goes on by itself from what it
    saw last, and when it is back, the later state of the two is everyone's.

    Args:
        store: of the fleet; None for a breaker of this process alone, which never waits.
        listener: gets a `BreakerChanged` for each transition that this worker sees.
    """

    def __init__(
        self,
        name: str,
        *,
        clock: Clock,
        rules: BreakerRules | None = None,
        store: BreakerStore | None = None,
        listener: Listener = ignore,
    ) -> None:
        self.name = name
        self.rules = rules or BreakerRules()
        self._clock = clock
        self._store = store
        self._away = False
        self._circuit = Circuit()
        self._seen_at = float("-inf")
        self._store_ahead_s = clock.now() - clock.monotonic()
        """By how much the clock of the state is ahead of our own monotonic one."""
        self._turn = asyncio.Lock()
        self._asking = False
        self._transitions = Transitions(name, listener)

    @property
    def state(self) -> BreakerState:
        """As this worker saw it last."""
        return self._circuit.state

    @property
    def open_for_s(self) -> float:
        """Seconds until it is worth asking again; 0 when calls go ahead."""
        now = self._now()
        if self._circuit.state == "half-open" and not self.rules.due(self._circuit, now):
            return max(0.0, VIEW_S - self._view_age_s())  # somebody else's probe: look again then
        return self.rules.open_for_s(self._circuit, now)

    async def admit(self) -> Ticket:
        """Leave for one call.

        Raises:
            BreakerOpen: not now; says when to ask again.
        """
        if self._store is not None and self._is_old():
            await self._look()
        circuit = self._circuit
        if circuit.state == "closed":
            return Ticket(circuit.since)
        return await self._probe()

    async def succeeded(self, ticket: Ticket) -> None:
        """The call was answered."""
        if ticket.probe:
            await self._report(partial(self.rules.probe_passed, token=ticket.probe))

    async def failed(self, ticket: Ticket) -> None:
        """The dependency failed the call."""
        if ticket.probe:
            await self._report(partial(self.rules.probe_failed, token=ticket.probe))
        else:
            await self._report(partial(self._failed_when_closed, ticket.since), ticket.since)

    async def abandoned(self, ticket: Ticket) -> None:
        """The call ended in a way that says nothing of the dependency."""
        if ticket.probe:
            await self._report(partial(self.rules.probe_abandoned, token=ticket.probe))

    def _failed_when_closed(self, since: float, circuit: Circuit, now_s: float) -> Circuit:
        """A straggler from before the last transition tells nothing of the dependency today."""
        return self.rules.failed(circuit, now_s) if circuit.since == since else circuit

    async def _probe(self) -> Ticket:
        """Leave to probe, for one caller at a time."""
        if self._asking or not self.rules.due(self._circuit, self._now()):
            raise self._refusal()
        token = secrets.token_hex(8)
        self._asking = True
        try:
            await self._change(partial(self.rules.probe_begun, token=token))
        except asyncio.CancelledError:  # it may have been given to us all the same
            await self.abandoned(Ticket(0.0, token))
            raise
        finally:
            self._asking = False
        circuit = self._circuit
        if circuit.state == "closed":
            return Ticket(circuit.since)
        if circuit.probe is None or circuit.probe.token != token:
            raise self._refusal()
        return Ticket(circuit.since, token)

    def _refusal(self) -> BreakerOpen:
        wait_s = self.open_for_s or VIEW_S
        return BreakerOpen(f"{self.name} failed too often of late", retry_after_s=wait_s)

    async def _report(self, change: Change, since: float | None = None) -> None:
        if self._store is None:
            self._change_here(change)
        else:  # whoever made the call may be gone: the outcome is told all the same
            await asyncio.shield(asyncio.ensure_future(self._change(change, since)))

    async def _look(self) -> None:
        async with self._turn:
            if self._is_old():
                await self._shared(self._change_there(_unchanged))

    async def _change(self, change: Change, since: float | None = None) -> None:
        """Apply a change where the state is kept: there, or here while that is away.

        Args:
            since: it is one of the state that was entered then, and of no matter in any later one.
        """
        if self._store is not None:
            async with self._turn:
                if since is not None and since < self._circuit.since:
                    return  # of a thousand calls that fail at once, few need to be told
                away = self._away and not self._is_old()
                if not away and await self._shared(self._change_there(change)):
                    return
        self._change_here(change)

    async def _shared(self, work: Coroutine[Any, Any, None]) -> bool:
        """Whether the store could be reached; if not, it is left alone for `VIEW_S`."""
        try:
            await work
        except CacheUnavailable:
            self._away, self._seen_at = True, self._clock.monotonic()
            return False
        self._away = False
        return True

    async def _change_there(self, change: Change) -> None:
        assert self._store is not None
        began = self._clock.monotonic()
        held = await self._store.read()
        while True:
            after = change(newer(self._circuit, held.circuit, held.now_s), held.now_s)
            if after == held.circuit:
                break
            held = await self._store.swap(held, after)
            if held.swapped:
                break
        self._seen_at = began
        self._store_ahead_s = held.now_s - self._clock.monotonic()
        self._see(held.circuit)

    def _change_here(self, change: Change) -> None:
        self._see(change(self._circuit, self._now()))

    def _see(self, circuit: Circuit) -> None:
        self._circuit = circuit
        self._transitions.enter(circuit.state)

    def _is_old(self) -> bool:
        return self._view_age_s() >= VIEW_S

    def _view_age_s(self) -> float:
        return self._clock.monotonic() - self._seen_at

    def _now(self) -> float:
        """The time by the clock that the state is kept by."""
        return self._clock.monotonic() + self._store_ahead_s


def _unchanged(circuit: Circuit, now_s: float) -> Circuit:
    return circuit
