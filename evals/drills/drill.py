"""What a drill is: its trouble, its hypothesis in numbers, and how long each phase lasts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evals.drills.limit import Limit
    from evals.drills.scene import Scene


LONGEST_RECOVERY_S = 8.0
"""Chosen: what is not well by then has not recovered."""


class Phase(StrEnum):
    """The parts of a drill, in their order."""

    CALM = "calm"
    TROUBLE = "trouble"
    RECOVERY = "recovery"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How long and how busy a drill is; times in seconds, rates in requests a second.

    The times of the guards are shorter than those deployed, so that an outage of seconds shows
    what one of minutes does; their order is the same.
    """

    calm_s: float
    trouble_s: float
    recovery_s: float
    """At least: it lasts until all is well again, `LONGEST_RECOVERY_S` at the most."""
    rate: float
    """Of questions of split dev."""
    probes: int
    """The number of questions of split test, asked in the trouble."""
    breaker_open_s: float
    provider_timeout_s: float

    def span(self, phase: Phase) -> tuple[float, float]:
        """When `phase` begins and ends, counted from the beginning of the drill."""
        trouble_ends = self.calm_s + self.trouble_s
        spans = {
            Phase.CALM: (0.0, self.calm_s),
            Phase.TROUBLE: (self.calm_s, trouble_ends),
            Phase.RECOVERY: (trouble_ends, trouble_ends + LONGEST_RECOVERY_S),
        }
        return spans[phase]


SCALES = {
    "smoke": Scale(
        calm_s=0.3, trouble_s=1.1, recovery_s=0.35, rate=7.0, probes=6,
        breaker_open_s=0.2, provider_timeout_s=0.3,
    ),
    "full": Scale(
        calm_s=1.0, trouble_s=4.0, recovery_s=1.0, rate=8.0, probes=50,
        breaker_open_s=1.0, provider_timeout_s=1.0,
    ),
    "long": Scale(
        calm_s=3.0, trouble_s=12.0, recovery_s=4.0, rate=8.0, probes=50,
        breaker_open_s=2.0, provider_timeout_s=2.0,
    ),
}  # fmt: skip
"""How long the drills of a profile last."""


Trouble = Callable[["Scene"], AbstractAsyncContextManager[None]]
"""Makes trouble while its block lasts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """Something that goes wrong, and what is supposed to come of it.

    Args:
        story: what happens, in a sentence.
        settings: of the application, where they differ from those of all drills.
        streamed: whether answers are asked for as streams.
        simulated: which time is not the machine's own; empty where all is.
        lasts: how many times as long as others its trouble lasts, by profile; 1 unless said.
        probes: number of questions of split test, by profile; that of the profile unless said.
    """

    name: str
    title: str
    story: str
    trouble: Trouble
    limits: tuple[Limit, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    streamed: bool = False
    simulated: str = ""
    lasts: Mapping[str, float] = field(default_factory=dict)
    probes: Mapping[str, int] = field(default_factory=dict)

    def scale(self, profile: str) -> Scale:
        """How long its phases are."""
        usual = SCALES[profile]
        return replace(
            usual,
            trouble_s=usual.trouble_s * self.lasts.get(profile, 1.0),
            probes=self.probes.get(profile, usual.probes),
        )

    @property
    def hypothesis(self) -> str:
        """What is supposed to come of it, in numbers."""
        return "; ".join(limit.words for limit in self.limits)
