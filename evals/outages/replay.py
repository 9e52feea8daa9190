"""A trace through the pipeline that is deployed, on simulated time, before a failing provider."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from evals.outages.provider import FailingProvider, Outage
from evals.outages.simulated_time import LoopClock, run_simulated
from evals.project import CANARY
from evals.simulation.replay_world import TimelineRetriever, prose
from evals.simulation.timeline import Timeline
from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.generators import ExtractiveGenerator
from rag_core.adapters.memory import MemoryCostBook, MemoryLedgerStore
from rag_core.bootstrap import CacheStores, Parts, caps_of, provider_guard, wire_pipeline
from rag_core.budget import NANO_PER_USD, DailyLedger, Spending, hold_ttl_s
from rag_core.cache import Epoch, MemoryAnswerCache, MemoryEmbeddingCache, NoFleet, SharedEpochs
from rag_core.cli import progress_bar
from rag_core.clock import Clock
from rag_core.domain import Provenance, Query, Ranking, UserId, authenticated
from rag_core.errors import RagError
from rag_core.events import BreakerChanged, CacheLookedUp, Event, MoneySettled
from rag_core.pipeline import Pipeline
from rag_core.providers import Provider, Router
from rag_core.settings import Settings

if TYPE_CHECKING:
    pass

MONDAY_S = datetime(2027, 1, 4, tzinfo=UTC).timestamp()
"""Unix time at which a trace begins: budgets are of days of UTC."""
EPOCH_S = 0.002
"""Seconds to read an epoch; assumed."""
SEARCH_S = 0.02
"""Seconds to embed a question and search; assumed."""
ENTRIES = 1_000_000
"""More than a week's answers: none is evicted."""


@dataclass(frozen=True, slots=True)
class Served:
    """One request: when it came, what it got, and after how many seconds."""

    time_s: float
    took_s: float
    provenance: Provenance | None
    """None: an error."""
    error: str = ""


@dataclass(slots=True)
class Week:
    """What was seen of a replay; all times are seconds of the trace."""

    outages: Sequence[Outage]
    cap_usd: float
    served: list[Served] = field(default_factory=list)
    called_s: list[float] = field(default_factory=list)
    """When the provider was called, attempts that failed included."""
    settled: list[tuple[float, float]] = field(default_factory=list)
    """Time and US dollars of each call that was paid."""
    saved: list[tuple[float, float]] = field(default_factory=list)
    """Time and US dollars of each call that a cache spared."""
    breaker: list[tuple[float, str]] = field(default_factory=list)
    """Time and state of each of the breaker's transitions."""
    booked_usd: float = 0.0
    """US dollars in the cost book at the end."""


class _Epochs:
    """Epochs of users whose edits are only counted."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.edits: dict[UserId, int] = {}

    async def read(self, users: Collection[UserId]) -> Mapping[UserId, Epoch]:
        """See `ReadEpochs`."""
        await self._clock.sleep(EPOCH_S)
        return {user: Epoch(str(self.edits.get(user, 0))) for user in users}


class _LineTokenizer:
    """Counts each line once: two prompts differ in few of theirs."""

    def __init__(self) -> None:
        tokenizer = prose().tokenizer
        self._count = tokenizer.count
        self.name = f"{tokenizer.name} by lines"
        self.truncate = tokenizer.truncate

    def count(self, text: str) -> int:
        """Number of tokens, of which none reaches beyond the end of its line."""
        return sum(map(self._count, text.splitlines(keepends=True)))


class _SlowRetriever(TimelineRetriever):
    """Takes the time that embedding and searching are supposed to take."""

    async def search(self, user: UserId, query: Query, *, k: int) -> Ranking:
        """See `Retriever`."""
        await asyncio.sleep(SEARCH_S)
        return await super().search(user, query, k=k)


def replay_week(
    timeline: Timeline, outages: Sequence[Outage], settings: Settings, *, seed: int = 0
) -> Week:
    """Every request of the timeline's trace, at its time, through a pipeline of that settings.

    Caches, guard, router, ladder and ledger are the deployed ones, over stores in memory; the
    provider, the retriever and all latencies are simulated.
    """
    random.seed(seed)  # retries take their jitter from there
    return run_simulated(_replay(timeline, outages, settings, seed))


async def _replay(
    timeline: Timeline, outages: Sequence[Outage], settings: Settings, seed: int
) -> Week:
    clock = LoopClock(MONDAY_S)
    week = Week(outages, settings.budget_all_usd)
    text = prose()
    provider = FailingProvider(
        text.answer, outages, clock=clock, count=_LineTokenizer().count, seed=seed
    )
    costs = MemoryCostBook()
    async with _spending(settings, costs, clock, _Record(week)) as spending:
        player = _Player(timeline, settings, provider, spending, week, clock)
        await player.play()
    week.called_s = provider.called_s
    days = {datetime.fromtimestamp(MONDAY_S + each.time_s, UTC).date() for each in week.served}
    totals = [await costs.totals(day) for day in sorted(days)]
    week.booked_usd = sum(total.nano_usd for total in totals) / NANO_PER_USD
    return week


@asynccontextmanager
async def _spending(
    settings: Settings, costs: MemoryCostBook, clock: Clock, record: _Record
) -> AsyncIterator[Spending]:
    """The ledger; settled and booked when the block ends."""
    limit_s = settings.request_timeout_s
    store = MemoryLedgerStore(ttl_s=hold_ttl_s(limit_s), clock=clock, closed_s=0.0)
    ledger = DailyLedger(store, costs, caps_of(settings), clock=clock)
    spending = Spending(ledger, listener=record, call_limit_s=limit_s)
    yield spending
    await spending.drained()
    await ledger.aclose()


class _Record:
    """A listener that writes down what a week is told by, with the time."""

    def __init__(self, week: Week) -> None:
        self._week = week

    def __call__(self, event: Event) -> None:
        now = asyncio.get_running_loop().time()
        match event:
            case MoneySettled(cost_usd=cost_usd):
                self._week.settled.append((now, cost_usd))
            case CacheLookedUp(level="answer", outcome="hit" | "revalidated", saved_usd=saved_usd):
                self._week.saved.append((now, saved_usd))
            case BreakerChanged(dependency="provider", after=after):
                self._week.breaker.append((now, after))


class _Player:
    """Plays edits and requests, each at its time; requests overlap."""

    def __init__(
        self,
        timeline: Timeline,
        settings: Settings,
        provider: FailingProvider,
        spending: Spending,
        week: Week,
        clock: Clock,
    ) -> None:
        self._timeline, self._traffic = timeline, timeline.traffic
        self._week, self._clock = week, clock
        self._epochs = _Epochs(clock)
        self._retriever = _SlowRetriever(prose().chunks)
        self._pipeline = self._wired(settings, provider, spending)

    def _wired(self, settings: Settings, provider: FailingProvider, spending: Spending) -> Pipeline:
        clock, record = self._clock, _Record(self._week)
        tokenizer, embedder = _LineTokenizer(), HashingEmbedder()
        guard = provider_guard(
            provider.name,
            settings,
            timeout_s=settings.request_timeout_s,
            clock=clock,
            listener=record,
        )
        answers = MemoryAnswerCache(clock=clock, max_entries=ENTRIES)
        parts = Parts(
            tokenizer=tokenizer,
            embedder=embedder,
            retriever=self._retriever,
            router=Router([Provider(provider, guard)], clock=clock, listener=record),
            quoting=Router.alone(ExtractiveGenerator(embedder, tokenizer)),
            spending=spending,
            stores=CacheStores(answers, MemoryEmbeddingCache(ENTRIES), NoFleet()),
            epochs=SharedEpochs(self._epochs.read),
            clock=clock,
            listener=record,
            jitter=random.Random(0),
            search_name="timeline",
            canary=CANARY,
        )
        return wire_pipeline(settings, parts)[0]

    async def play(self) -> None:
        """All of the trace, until its last request has ended."""
        place = np.argsort(self._timeline.order)
        keys = self._timeline.key[place].tolist()
        versions = self._timeline.version[place].tolist()
        edits = iter(self._edits())
        edit_s, editor = next(edits)
        with progress_bar(len(self._traffic), "replay", "request") as bar:
            async with asyncio.TaskGroup() as group:
                for row, time_s in enumerate(self._traffic.time_s.tolist()):
                    while edit_s <= time_s:
                        self._epochs.edits[editor] = self._epochs.edits.get(editor, 0) + 1
                        edit_s, editor = next(edits)
                    await self._clock.sleep(time_s - self._clock.monotonic())
                    group.create_task(self._ask(row, keys[row], versions[row]))
                    bar.update()

    def _edits(self) -> Iterator[tuple[float, UserId]]:
        """When whose notes change; the last never comes."""
        t = self._traffic
        for time_s, user in zip(t.edit_time_s.tolist(), t.edit_user.tolist(), strict=True):
            yield time_s, _user(user)
        yield math.inf, _user(0)

    async def _ask(self, row: int, key: int, version: int) -> None:
        self._retriever.turn_to(key, version)
        question = f"What did I note about matter {int(self._traffic.question[row])}?"
        began = self._clock.monotonic()
        provenance, error = None, ""
        try:
            answer = await self._pipeline.answer(question, _user(int(self._traffic.user[row])))
            provenance = answer.provenance
        except RagError as failure:
            error = type(failure).__name__
        took_s = self._clock.monotonic() - began
        self._week.served.append(Served(began, took_s, provenance, error))


def _user(number: int) -> UserId:
    return authenticated(f"user-{number}")
