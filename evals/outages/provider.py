"""A provider that writes at an assumed pace and fails when its script says so."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from evals.simulation.traffic import DAY_S
from rag_core.domain import Completion, Prices, Usage
from rag_core.errors import ProviderRateLimited, ProviderUnavailable

if TYPE_CHECKING:
    from rag_core.clock import Clock
    from rag_core.domain import Prompt

HOUR_S = 3_600.0
"""60 minutes."""
MEDIAN_CALL_S = 3.5
"""Of a provider's lognormal latency; assumed."""
SIGMA = 0.5
"""Of the logarithm of that latency; assumed."""
REFUSED_AFTER_S = 0.05
"""Until a connection is refused or turned away; assumed."""
RETRY_AFTER_S = 20.0
"""What a 429 asks for; assumed."""
HANGS_FOR_S = 600.0
"""Far beyond any deadline."""


class Trouble(StrEnum):
    """How a provider fails."""

    DOWN = "down"
    """No connection."""
    RATE_LIMITED = "429"
    HANGING = "hanging"
    """It accepts and never answers."""


@dataclass(frozen=True, slots=True)
class Outage:
    """From `start_s` to `end_s` of the trace, in equal parts of each trouble."""

    start_s: float
    end_s: float
    troubles: tuple[Trouble, ...]

    @property
    def name(self) -> str:
        """Such as `day 2, 18:30, 3 h: down`."""
        day, hour = divmod(self.start_s / HOUR_S, 24)
        clock = f"{int(hour):02}:{round(hour % 1 * 60):02}"
        hours = (self.end_s - self.start_s) / HOUR_S
        return f"day {int(day) + 1}, {clock}, {hours:g} h: {', then '.join(self.troubles)}"

    def during(self, time_s: float) -> bool:
        """Whether it is under way."""
        return self.start_s <= time_s < self.end_s

    def trouble(self, time_s: float) -> Trouble:
        """What fails at a time within it."""
        share = (time_s - self.start_s) / (self.end_s - self.start_s)
        return self.troubles[int(share * len(self.troubles))]


TWO_OUTAGES = (
    Outage(DAY_S + 18.5 * HOUR_S, DAY_S + 21.5 * HOUR_S, (Trouble.DOWN,)),
    Outage(
        4 * DAY_S + 19 * HOUR_S,
        4 * DAY_S + 21 * HOUR_S,
        (Trouble.RATE_LIMITED, Trouble.HANGING),
    ),
)
"""Both at the busiest time of their day."""


class FailingProvider:
    """A Generator whose latency is assumed, whose text is the same always, and which has outages.

    `called_s` are the times at which it was called, attempts that failed included.
    """

    name = "provider"
    model = "simulated"

    def __init__(
        self,
        text: str,
        outages: Sequence[Outage],
        *,
        clock: Clock,
        count: Callable[[str], int],
        seed: int,
    ) -> None:
        self.prices = Prices()
        self.called_s: list[float] = []
        self._text, self._outages = text, outages
        self._clock, self._count = clock, count
        self._random = np.random.default_rng([seed, 3])

    async def generate(self, prompt: Prompt, *, max_tokens: int) -> Completion:
        """See `Generator`."""
        now = self._clock.monotonic()
        self.called_s.append(now)
        took_s = float(self._random.lognormal(math.log(MEDIAN_CALL_S), SIGMA))
        for outage in self._outages:
            if outage.during(now):
                await self._fail(outage.trouble(now))
        await self._clock.sleep(took_s)
        sent = sum(self._count(turn.content) for turn in prompt.messages)
        return Completion(self._text, Usage(sent, self._count(self._text)), self.model)

    async def stream(
        self, prompt: Prompt, *, max_tokens: int
    ) -> AsyncGenerator[str | Completion, None]:
        """See `Generator`; all in one piece."""
        completion = await self.generate(prompt, max_tokens=max_tokens)
        yield completion.text
        yield completion

    async def _fail(self, trouble: Trouble) -> None:
        """Raise what the trouble raises, or hang."""
        if trouble is Trouble.HANGING:
            await self._clock.sleep(HANGS_FOR_S)
        await self._clock.sleep(REFUSED_AFTER_S)
        if trouble is Trouble.RATE_LIMITED:
            raise ProviderRateLimited("too many requests", retry_after_s=RETRY_AFTER_S)
        raise ProviderUnavailable("no connection")
