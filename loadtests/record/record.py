"""All that a run left behind, read back from its folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf
from pathlib import Path

from loadtests.record.resources import Usage, read_resources
from loadtests.record.run import Run, read_run
from loadtests.record.sample import Sample, judged, read_samples
from loadtests.traffic.arrivals import Arrival, drawn_arrivals
from loadtests.traffic.shape import Shape
from loadtests.traffic.stage import Kind


@dataclass(frozen=True)
class Record:
    """A run with all its requests, and what was used meanwhile."""

    run: Run
    samples: Sequence[Sample]
    usages: Sequence[Usage]

    @property
    def shape(self) -> Shape:
        """What was planned."""
        return self.run.shape

    @property
    def outside(self) -> bool:
        """Whether the application was started by somebody else."""
        return self.run.rest_before is None

    @property
    def judged(self) -> list[Sample]:
        """What the objectives are about: all but the warming up."""
        return judged(self.samples, (stage.name for stage in self.shape.stages if stage.judged))

    @cached_property
    def _drawn(self) -> list[Arrival]:
        return drawn_arrivals(self.shape, seed=self.run.seed)

    @cached_property
    def unsent(self) -> int:
        """The number of judged questions that were never sent, as every caller was busy."""
        sent = {each.serial for each in self.samples}
        names = {stage.name for stage in self.shape.stages if stage.judged}
        kinds = (Kind.QUESTION, Kind.STREAM)
        return sum(
            a.kind in kinds and a.stage in names and a.serial not in sent for a in self._drawn
        )

    @cached_property
    def asked_before(self) -> frozenset[int]:
        """Numbers of the questions to which their person had had an answer when they were sent.

        They are what a cache would hit that forgets nothing and that no save concerns.
        """
        ranks = {each.serial: each.rank for each in self._drawn}
        first_s: dict[tuple[int, int], float] = {}
        for each in self.samples:
            if each.answered:
                question = each.person, ranks[each.serial]
                first_s[question] = min(each.ended_s, first_s.get(question, inf))
        return frozenset(
            each.serial
            for each in self.samples
            if each.asked
            and (
                ranks[each.serial] < self.shape.warm_ranks
                or first_s.get((each.person, ranks[each.serial]), inf) <= each.sent_s
            )
        )

    @property
    def judged_s(self) -> tuple[float, float]:
        """When what is judged begins and ends, in seconds from the load's begin."""
        stages = zip(self.shape.begins_s, self.shape.stages, strict=True)
        return next(begin for begin, stage in stages if stage.judged), self.shape.seconds


def read_record(folder: Path) -> Record:
    """The run in this folder.

    Raises:
        FileNotFoundError: there is none.
        ValueError: a file is not of the form that it should have.
    """
    return Record(read_run(folder), read_samples(folder), read_resources(folder))
