"""What came of one drill, and what can be read off it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from evals.drills.arrivals import Arrival
from evals.drills.drill import Drill, Phase, Scale
from evals.drills.own_postgres import Books
from evals.drills.quality import Compared
from evals.drills.scene import PROVIDER
from evals.drills.timeline import Ended, Timeline
from rag_core.events import MoneySettled, ProviderCalled

OURS = ("BreakerOpen", "Overloaded", "BudgetExhausted", "DeadlineExceeded")
"""Outcomes of calls that never left this process."""


@dataclass(frozen=True, slots=True)
class DrillRun:
    """A drill that was held."""

    drill: Drill
    scale: Scale
    timeline: Timeline
    books: Books | None = None
    """What Postgres says was spent, once the application had closed; None before."""
    quality: Mapping[str, Sequence[Compared]] = field(default_factory=dict)
    """Of the answers to questions of split test, given in the trouble, by their provenance."""

    def of(self, *phases: Phase) -> list[Ended]:
        """The requests that were sent in these phases."""
        phase = self.timeline.phase
        return [each for each in self.timeline.ended if phase(each.arrival.at_s) in phases]

    def opened_s(self, dependency: str = PROVIDER) -> float | None:
        """When the breaker of `dependency` opened first."""
        opened = (at_s for at_s, state in self.timeline.changes(dependency) if state == "open")
        return min(opened, default=None)

    def once_open(self, dependency: str = PROVIDER) -> list[Ended]:
        """The requests that were sent in the trouble after that breaker had opened."""
        opened_s = self.opened_s(dependency)
        if opened_s is None:
            return []
        return [each for each in self.of(Phase.TROUBLE) if each.arrival.at_s >= opened_s]

    @property
    def probes(self) -> set[Arrival]:
        """Those whose requests called the provider after its breaker had opened."""
        opened_s = self.opened_s()
        if opened_s is None:
            return set()
        return {
            told.arrival
            for told in self.timeline.told
            if isinstance(told.event, ProviderCalled)
            and told.event.provider == PROVIDER
            and told.event.outcome not in OURS
            and told.at_s > opened_s
            and told.arrival
        }

    def calls_since(self, begin_s: float) -> int:
        """Calls that reached the stub from then to the end of the trouble, by its own count."""
        looks = [look for look in self.timeline.billed if look.at_s <= self.timeline.trouble_s[1]]
        before = next((look.calls for look in looks if look.at_s >= begin_s), looks[-1].calls)
        return looks[-1].calls - before

    @property
    def settled(self) -> list[tuple[float, float]]:
        """When how many dollars were settled."""
        events = ((told.at_s, told.event) for told in self.timeline.told)
        return [(at_s, each.cost_usd) for at_s, each in events if isinstance(each, MoneySettled)]

    @property
    def booked_usd(self) -> float | None:
        """All that Postgres has of the stub."""
        return self.books.by_provider.get(PROVIDER, 0.0) if self.books else None

    @property
    def billed_usd(self) -> float:
        """All that the stub would charge for."""
        return self.timeline.billed[-1].usd

    def provenances(self, *phases: Phase) -> Counter[str]:
        """How many requests of these phases ended how."""
        return Counter(each.provenance for each in self.of(*phases))
