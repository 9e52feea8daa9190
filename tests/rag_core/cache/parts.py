"""Answers, contexts and a ledger of epochs to test caches with."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from typing import Any

from rag_core.answer import Answer, Citation, Flag, Provenance
from rag_core.cache.answers import Entry
from rag_core.cache.epochs import Epoch
from rag_core.clock import Clock
from rag_core.context import Context, Source
from rag_core.cost import Usage
from rag_core.notes import Verses
from rag_core.retrieval import Hit
from rag_core.user import UserId

PATIENCE_S = 30
"""After so long a test that waits for something has failed."""

CITATION = Citation(
    number=1,
    note_id="grace",
    chunk_id="grace#0",
    title="Über die Gnade ✝ 恩典",
    date=date(2026, 5, 3),
    verses=("Eph 2:8-9", "Rom 5:15"),
    quote="Grace means unearned favour.\n\tΧάρις \x00 🕊",
    start=17,
    end=61,
)

ANSWER = Answer(
    text="Grace is a gift [1]. Χάρις 恩典 🕊",
    provenance=Provenance.FRESH,
    citations=(CITATION, replace(CITATION, number=2, date=None, verses=())),
    usage=Usage(1_234, 56),
    cost_usd=0.000_280_4,
    generator="scripted",
    model="scripted-v1",
    flags=(Flag.QUESTION_TRUNCATED, Flag.CITATION_REMOVED),
    attack=None,
    evidence="e" * 64,
    timings_ms={"embed": 3.25, "total": 1e-9},
)


def answer(text: str = "Grace is a gift [1].", **fields: Any) -> Answer:
    """A fresh answer with one citation."""
    return replace(ANSWER, text=text, **fields)


def entry(clock: Clock, epoch: str = "epoch-1", *, hard_s: float = 600, **fields: Any) -> Entry:
    """An entry that is fresh for half of its life."""
    now = clock.now()
    return Entry(
        answer=fields.pop("answer", ANSWER),
        epoch=Epoch(epoch),
        fresh_until=now + hard_s / 2,
        gone_at=now + hard_s,
        took_ms=3_500.5,
    )


def hit(text: str = "Grace is a gift.", **fields: Any) -> Hit:
    """A hit whose every field says something."""
    plain = Hit(
        note_id="grace",
        position=0,
        title="On grace",
        heading="A gift",
        text=text,
        start=0,
        end=len(text),
        author="Paul",
        date=date(2026, 5, 3),
        tags=("gift", "favour"),
        verses=(Verses("Eph", 2, 8, 9),),
        score=0.75,
    )
    return replace(plain, **fields)


def context(*hits: Hit) -> Context:
    """The hits as sources, numbered from 1."""
    sources = tuple(Source(number, one, one.text) for number, one in enumerate(hits, 1))
    return Context(sources, tokens=40 * len(sources))


class EpochLedger:
    """EpochSource over a dictionary with the locks of the database: a change excludes holders."""

    def __init__(self) -> None:
        self.epochs: dict[UserId, Epoch] = {}
        self.holds = 0
        """How often the truth was asked for: not while a copy of it is believed."""
        self._holders: dict[UserId, int] = defaultdict(int)
        self._writing: set[UserId] = set()
        self._released = asyncio.Condition()

    async def epoch(self, user: UserId) -> Epoch | None:
        return self.epochs.get(user)

    @asynccontextmanager
    async def hold(self, user: UserId) -> AsyncIterator[Epoch | None]:
        self.holds += 1
        if user in self._writing:
            yield None
            return
        self._holders[user] += 1
        try:
            yield self.epochs.get(user)
        finally:
            self._holders[user] -= 1
            async with self._released:
                self._released.notify_all()

    @asynccontextmanager
    async def change(self, user: UserId, epoch: str) -> AsyncIterator[Epoch]:
        """A transaction that commits `epoch` at its end, unless the block raises."""
        async with self._released:
            await self._released.wait_for(lambda: not self._holders[user])
            self._writing.add(user)
        try:
            yield Epoch(epoch)
            self.epochs[user] = Epoch(epoch)
        finally:
            self._writing.discard(user)


class Work:
    """Work that ends when it is told to, as an answer or as an error."""

    def __init__(self) -> None:
        self.begun = self.cancelled = 0
        self.outcome: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

    async def __call__(self) -> Answer:
        self.begun += 1
        try:
            return await asyncio.shield(self.outcome)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


async def settled(*tasks: asyncio.Task[Any]) -> None:
    """Return once every other task has gone as far as it can without anything from outside."""
    for _ in range(50):
        await asyncio.sleep(0)
        if tasks and all(task.done() for task in tasks):
            return
