"""What happened when: requests and their ends, what the application told, what the stub billed."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace

from evals.drills.arrivals import Arrival
from evals.drills.drill import Phase
from evals.results.outcomes import ERROR
from rag_core.domain import Answer
from rag_core.events import BreakerChanged, Event

ARRIVAL: ContextVar[Arrival | None] = ContextVar("arrival", default=None)
"""The arrival within which something happens."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A request that ended `done_s` seconds after the drill began, in an answer or an error."""

    arrival: Arrival
    done_s: float
    answer: Answer | None
    error: str = ""

    @property
    def latency_ms(self) -> float:
        """From the moment it was to be sent: a late start is no excuse."""
        return (self.done_s - self.arrival.at_s) * 1000

    @property
    def provenance(self) -> str:
        """Of its answer; `error` without one."""
        return str(self.answer.provenance) if self.answer else ERROR


@dataclass(frozen=True, slots=True)
class Told:
    """An event, when it was told, and within which arrival."""

    at_s: float
    event: Event
    arrival: Arrival | None


@dataclass(frozen=True, slots=True)
class Billed:
    """What the stub had counted by then: calls, and dollars at its prices."""

    at_s: float
    calls: int
    usd: float


@dataclass(slots=True)
class Timeline:
    """All of it; times are seconds from the beginning, which was `began` (s) by perf_counter."""

    began: float = field(default_factory=time.perf_counter)
    ended: list[Ended] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    billed: list[Billed] = field(default_factory=list)
    trouble_s: tuple[float, float] = (math.inf, math.inf)
    """When the trouble had begun, and when it was over."""

    def restart(self) -> None:
        """Now is 0, and what was told before was told at negative times."""
        passed_s = self.now_s
        self.told = [replace(told, at_s=told.at_s - passed_s) for told in self.told]
        self.began += passed_s

    def phase(self, at_s: float) -> Phase:
        """The phase at that time, as it was and not as it was planned."""
        begin_s, end_s = self.trouble_s
        if at_s < begin_s:
            return Phase.CALM
        return Phase.TROUBLE if at_s < end_s else Phase.RECOVERY

    @property
    def now_s(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self.began

    def hear(self, event: Event) -> None:
        """A listener of the application."""
        self.told.append(Told(self.now_s, event, ARRIVAL.get()))

    def changes(self, dependency: str) -> list[tuple[float, str]]:
        """When the breaker of `dependency` went to which state."""
        return [
            (told.at_s, told.event.after)
            for told in self.told
            if isinstance(told.event, BreakerChanged) and told.event.dependency == dependency
        ]

    @property
    def dependencies(self) -> Sequence[str]:
        """Those whose breakers changed, in the order of their first change."""
        changed = (told.event for told in self.told if isinstance(told.event, BreakerChanged))
        return list(dict.fromkeys(event.dependency for event in changed))
