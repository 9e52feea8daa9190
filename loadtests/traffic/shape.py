"""A load test as it is planned: who, how much, before which application, and in what trouble."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import accumulate

from loadtests.traffic.people import ASKED_AGAIN
from loadtests.traffic.stage import Stage


class Victim(StrEnum):
    """What a trouble befalls."""

    WORKER = "worker"
    """One of the application's processes, by kill -9; its parent starts another."""
    REDIS = "redis"
    """By kill -9; it comes back empty."""
    POSTGRES = "postgres"
    """Its postmaster and all backends, by kill -9; it comes back by recovery."""
    STUB = "stub"
    """The provider's process, by kill -9; it comes back after the trouble's length."""
    PROVIDER = "provider"
    """The provider answers with errors for the trouble's length."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What befalls whom, `at_s` after the load began, for `seconds` where it has a length."""

    victim: Victim
    at_s: float
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A load test.

    `people` each have notes of their own and ask from as many connections as `callers`; before it
    begins, each has asked the `warm_ranks` most popular of their questions. `settings` are
    variables of the application that differ from the load tests' own.

    Raises:
        ValueError: nobody, no stage, or more warm questions than there are.
    """

    name: str
    story: str
    people: int
    """Number of people who ask."""
    stages: Sequence[Stage]
    callers: int = 200
    """Number of connections of the generator, so of requests that can be under way at once."""
    warm_ranks: int = 0
    """Number of questions of each person whose answers are cached before the load begins."""
    workers: int = 1
    """Number of the application's processes."""
    provider_s: float = 3.5
    troubles: Sequence[Trouble] = ()
    settings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.people < 1 or self.callers < 1 or not self.stages:
            raise ValueError(f"{self.name}: needs people, callers and stages")
        if not 0 <= self.warm_ranks <= ASKED_AGAIN:
            raise ValueError(f"{self.name}: warm_ranks must be from 0 to {ASKED_AGAIN}")

    @property
    def seconds(self) -> float:
        """Its whole length, in seconds."""
        return sum(stage.seconds for stage in self.stages)

    @property
    def begins_s(self) -> list[float]:
        """When each stage begins, in seconds from the load's begin."""
        return [0.0, *accumulate(stage.seconds for stage in self.stages[:-1])]

    def stage_at(self, at_s: float) -> Stage:
        """The stage in force `at_s` seconds after the load began; the last one after its end."""
        begun = [
            each for each, begin in zip(self.stages, self.begins_s, strict=True) if begin <= at_s
        ]
        return begun[-1] if begun else self.stages[0]
