"""Drills that were never held: what they saw is made up, second by second."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from evals.datasets.golden import GoldenQuestion, Scenario
from evals.drills.arrivals import Arrival
from evals.drills.drill import SCALES, Drill
from evals.drills.limit import Limit
from evals.drills.own_postgres import Books
from evals.drills.run import DrillRun
from evals.drills.scene import PROVIDER, Scene
from evals.drills.timeline import Billed, Ended, Timeline, Told
from rag_core.domain import Answer, Flag, Provenance
from rag_core.events import BreakerChanged, BreakerState, MoneySettled, ProviderCalled

QUESTION = GoldenQuestion(
    id="q", user="u", question="What of grace?", scenario=Scenario.SINGLE_NOTE
)
TROUBLE_S = (1.0, 3.0)


@asynccontextmanager
async def no_trouble(scene: Scene) -> AsyncIterator[None]:
    yield


def ended(
    at_s: float,
    provenance: Provenance | None = Provenance.FRESH,
    *,
    ms: float = 10.0,
    text: str = "Grace is a gift [1].",
    flags: Sequence[Flag] = (),
    error: str = "",
) -> Ended:
    """A request sent at `at_s`; without a provenance it ended in an error."""
    answer = Answer(text, provenance, flags=tuple(flags)) if provenance else None
    return Ended(Arrival(at_s, QUESTION), at_s + ms / 1000, answer, error)


def changed(at_s: float, before: BreakerState, after: BreakerState, of: str = PROVIDER) -> Told:
    """A transition of a breaker."""
    return Told(at_s, BreakerChanged(of, before, after), None)


def called(at_s: float, request: Ended, outcome: str) -> Told:
    """A call of the provider for a request."""
    return Told(at_s, ProviderCalled(PROVIDER, "stub", outcome, 1.0), request.arrival)


def held(
    *limits: Limit,
    requests: Sequence[Ended] = (),
    told: Sequence[Told] = (),
    billed: Sequence[tuple[float, int, float]] = (),
    books: Books | None = None,
) -> DrillRun:
    """A drill with trouble from 1 s to 3 s."""
    timeline = Timeline(trouble_s=TROUBLE_S)
    timeline.ended = list(requests)
    timeline.told = list(told)
    timeline.billed = [Billed(*each) for each in billed or [(0.0, 0, 0.0), (4.0, 0, 0.0)]]
    drill = Drill(name="made-up", title="Made up", story="", trouble=no_trouble, limits=limits)
    return DrillRun(drill, replace(SCALES["smoke"]), timeline, books)


def settled(at_s: float, usd: float) -> Told:
    """A paid call that was booked."""
    return Told(at_s, MoneySettled(PROVIDER, "stub", usd), None)
