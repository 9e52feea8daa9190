"""What a worker of the trial lives with: pauses, a clock that is off, a model that fails."""

from __future__ import annotations

import asyncio
import random
from bisect import bisect_right
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextvars import ContextVar

from rag_core.domain import Completion, Prices, Prompt, Usage
from rag_core.errors import ProviderUnavailable

_NOON = 1_800_000_000.0

Actions = dict[Callable[[], Awaitable[None]], float]
"""What may be done, with how often in 100 steps."""

PATIENCE: ContextVar[float] = ContextVar("patience", default=1.0)
"""How much longer than usual the pauses of the work at hand are."""


class Pauses:
    """Lets others go first: mostly for a moment, now and then for as long as a slow disk takes."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    async def __call__(self) -> None:
        """Wait."""
        (most_s,) = self._chance.choices((0.0, 0.002, 0.01, 0.05), (55, 35, 8, 2))
        await asyncio.sleep(most_s * self._chance.random() * PATIENCE.get())


class SkewedClock:
    """A clock moved by hand whose wall time is off, and may jump back; implements `Clock`."""

    def __init__(self, tick: Callable[[], int], *, skew_s: float) -> None:
        self._tick = tick
        self._skew_s = skew_s
        self._elapsed = 0.0
        self._moved: list[tuple[float, int]] = [(0.0, -1)]

    def now(self) -> float:
        """See `Clock`."""
        return _NOON + self._skew_s + self._elapsed

    def monotonic(self) -> float:
        """See `Clock`."""
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        """See `Clock`; for waits that others end, so it is the machine's own time."""
        await asyncio.sleep(seconds)

    def advance(self, seconds: float) -> None:
        """Time goes by, more than 0 s."""
        self._elapsed += seconds
        self._moved.append((self._elapsed, self._tick()))

    def set_wall(self, skew_s: float) -> None:
        """Somebody sets the wall clock; the monotonic one does not notice."""
        self._skew_s = skew_s

    def tick_after(self, monotonic: float) -> int:
        """The number of the tick when it first showed more than `monotonic` seconds; -1: start."""
        later = bisect_right(self._moved, monotonic, key=lambda move: move[0])
        return self._moved[later][1] if monotonic >= 0 else -1


class EchoGenerator:
    """Says exactly what its context says, so that an answer shows what it rests on."""

    name, model = "echo", "echo-v1"
    prices = Prices()

    def __init__(self, pauses: Pauses, chance: random.Random, *, outages: float) -> None:
        self._pauses = pauses
        self._chance = chance
        self._outages = outages

    async def generate(self, prompt: Prompt, *, max_tokens: int) -> Completion:
        """See `Generator`."""
        await self._pauses()
        if self._chance.random() < self._outages:
            raise ProviderUnavailable("the provider is down")
        text = " ".join(f"{source.text} [{source.number}]" for source in prompt.context.sources)
        return Completion(text, Usage(100, 10), self.model)

    async def stream(
        self, prompt: Prompt, *, max_tokens: int
    ) -> AsyncGenerator[str | Completion, None]:
        """See `Generator`."""
        completion = await self.generate(prompt, max_tokens=max_tokens)
        yield completion.text
        yield completion
