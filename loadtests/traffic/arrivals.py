"""Who sends what when: an open model, drawn ahead, so that nothing that happens slows it down."""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from loadtests.traffic.people import ASKED_AGAIN
from loadtests.traffic.shape import Shape
from loadtests.traffic.stage import Kind, Mix, Stage


@dataclass(frozen=True, slots=True)
class Arrival:
    """Something that is sent `at_s` seconds after the load began, whatever became of the others.

    `serial` numbers all arrivals of a load. Of a question, `rank` is its place among those that the
    person asks again and again; one of `ASKED_AGAIN` or more is asked only this once.
    """

    serial: int
    at_s: float
    stage: str
    kind: Kind
    person: int
    """The person's number."""
    rank: int
    """Position among the person's questions, from 0."""


def drawn_arrivals(shape: Shape, *, seed: int = 0) -> list[Arrival]:
    """All arrivals of `shape` in the order of their moments; the same for the same `seed`.

    In each stage they are a Poisson process whose rate goes in a line from its first to its last.
    Each is by a person drawn from all, so that each person is a Poisson process, too: a person's
    thought between two arrivals is exponential, of people / rate seconds on average.
    """
    draw = random.Random(f"arrivals:{shape.name}:{seed}")
    found: list[Arrival] = []
    for stage, begin_s in zip(shape.stages, shape.begins_s, strict=True):
        picks = _Picks(stage.mix, draw)
        for at_s in _moments(stage, draw):
            serial, kind, person = len(found), picks.kind(), draw.randrange(shape.people)
            rank = picks.rank(serial)
            found.append(Arrival(serial, begin_s + at_s, stage.name, kind, person, rank))
    return found


def _moments(stage: Stage, draw: random.Random) -> Iterator[float]:
    """By thinning: arrivals at its higher rate, of which the rate in force keeps a share."""
    highest, at_s = max(stage.rate, stage.last_rate), 0.0
    while highest and (at_s := at_s + draw.expovariate(highest)) < stage.seconds:
        rate = stage.rate + (stage.last_rate - stage.rate) * at_s / stage.seconds
        if draw.random() * highest < rate:
            yield at_s


class _Picks:
    """Draws what is sent."""

    def __init__(self, mix: Mix, draw: random.Random) -> None:
        self._mix, self._draw = mix, draw
        self._bounds = list(accumulate(rank**-mix.zipf_s for rank in range(1, mix.ranks + 1)))

    def kind(self) -> Kind:
        mix, drawn = self._mix, self._draw.random()
        bounds = accumulate((mix.stream_share, mix.edit_share, mix.abuse_share))
        kinds = (Kind.STREAM, Kind.EDIT, Kind.ABUSE)
        within = (kind for kind, bound in zip(kinds, bounds, strict=True) if drawn < bound)
        return next(within, Kind.QUESTION)

    def rank(self, serial: int) -> int:
        """That of a question asked again, or a number that nothing else has."""
        if self._draw.random() < self._mix.new_share:
            return ASKED_AGAIN + serial
        return bisect(self._bounds[:-1], self._draw.random() * self._bounds[-1])
