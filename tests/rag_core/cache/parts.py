"""Answers, contexts, reads of epochs and works to test caches with."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from msgspec import structs

from rag_core.cache import CachedAnswer, Emit, Epoch
from rag_core.clock import Clock
from rag_core.domain import (
    Answer,
    Citation,
    Context,
    Flag,
    Hit,
    Provenance,
    Source,
    Usage,
    UserId,
    Verses,
)
from rag_core.errors import DatabaseUnavailable

PATIENCE_S = 30
"""After so long a test that waits for something has failed."""

ANN, BEN, CAT = UserId("ann"), UserId("ben"), UserId("cat")

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
    citations=(CITATION, structs.replace(CITATION, number=2, date=None, verses=())),
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
    return structs.replace(ANSWER, text=text, **fields)


def cached_answer(
    clock: Clock, epoch: str = "epoch-1", *, hard_s: float = 600, answer: Answer = ANSWER
) -> CachedAnswer:
    """An answer that is fresh for half of its life."""
    now = clock.now()
    return CachedAnswer(
        answer,
        Epoch(epoch),
        soft_expires_at=now + hard_s / 2,
        hard_expires_at=now + hard_s,
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
    return structs.replace(plain, **fields)


def context(*hits: Hit) -> Context:
    """The hits as sources, numbered from 1."""
    sources = tuple(Source(number, one, one.text) for number, one in enumerate(hits, 1))
    return Context(sources, tokens=40 * len(sources))


def gone() -> DatabaseUnavailable:
    return DatabaseUnavailable("gone")


class EpochReads:
    """ReadEpochs over a dictionary; every read waits until a test ends it."""

    def __init__(self) -> None:
        self.epochs: dict[UserId, Epoch] = {}
        self.begun: list[Collection[UserId]] = []
        """Whose epochs each read was asked for."""
        self._under_way: list[asyncio.Future[Mapping[UserId, Epoch]]] = []

    async def __call__(self, users: Collection[UserId]) -> Mapping[UserId, Epoch]:
        self.begun.append(users)
        self._under_way.append(asyncio.get_running_loop().create_future())
        return await self._under_way[-1]

    async def end(self, error: Exception | None = None) -> None:
        """The oldest read that is under way sees the epochs of now, or fails."""
        await settled()
        read = self._under_way.pop(0)
        if error:
            read.set_exception(error)
        else:
            read.set_result(dict(self.epochs))
        await settled()

    @property
    def under_way(self) -> int:
        """How many reads have begun and not ended."""
        return len(self._under_way)


class KnownEpochs:
    """EpochSource over a dictionary, which answers in the loop's next turn."""

    def __init__(self) -> None:
        self.epochs: dict[UserId, Epoch] = {}
        self.error: Exception | None = None
        self.asked = 0

    def epoch(self, user: UserId) -> asyncio.Future[Epoch | None]:
        self.asked += 1
        future: asyncio.Future[Epoch | None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(self._answer, user, future)
        return future

    def _answer(self, user: UserId, future: asyncio.Future[Epoch | None]) -> None:
        if future.done():
            return
        if self.error:
            future.set_exception(self.error)
        else:
            future.set_result(self.epochs.get(user))


def nothing(piece: str) -> None:
    """An Emit that nobody hears."""


class Work:
    """Work that ends when it is told to, as an answer or as an error."""

    def __init__(self) -> None:
        self.begun = self.cancelled = 0
        self.emit: Emit = nothing
        self.outcome: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

    async def __call__(self, emit: Emit = nothing) -> Answer:
        self.begun += 1
        self.emit = emit
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
