"""The validity of measures of answers: what each notices of planted faults.

One rule for all of them: an answer passes a measure if it reaches, alone, what `PASSES` asks of
that measure. A fault is noticed where the faulty answer fails, and a right answer is rejected
where it fails. Faults made by rule are counted only where the answer that they spoil passes. What
the measure does not score is neither noticed nor rejected, and is counted apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evals.datasets.golden import Scenario
from evals.measures.catalogue import QUALITY, Instruments, Measure
from evals.measures.observations import Observation
from evals.measures.scores import (
    Aggregate,
    Score,
    Scored,
    Unscored,
    aggregate,
)
from evals.measures.summary import score_of
from evals.measures.targets import TARGETS
from evals.stats.paired import PairedDifference, paired_difference

QUOTED, DECLINED = "quoted", "declined"
PASSES: Mapping[str, float] = {
    name: TARGETS[name]
    for name in ("fact_recall", "groundedness", "citation_precision", "citation_recall")
}
"""Least share that an answer must reach to pass a measure: the targets of releases."""
SCOREBOARD = (*PASSES, "facts_cited", QUOTED, DECLINED)


@dataclass(frozen=True)
class PlantedRun:
    """One planted generator's answers to all questions, and what was measured of them.

    `planted` are the questions in whose answers the plant shows: something was retrieved, the fault
    had something to change, and what is written by hand could cite its passages.
    """

    kind: str
    faulty: bool
    rows: Mapping[str, Mapping[str, Score]]
    """Measure -> question -> score."""
    groups: Mapping[str, str]
    """Question -> the group of those that hang together."""
    planted: frozenset[str]
    by_rule: bool = False
    """Whether it spoils the real answers, rather than being written by hand."""
    uncited: int = 0
    """Number of sentences whose passage was not in the context, and that so cite nothing."""
    total: int = 0
    """Number of sentences written by hand."""


@dataclass(frozen=True)
class Validity:
    """How well a measure tells faulty answers from right ones; see the rule above."""

    measure: str
    passes: float
    """Least share of the measure that passes."""
    noticed: Aggregate
    rejected: Aggregate
    by_kind: Mapping[str, Aggregate]
    """What is noticed of each kind of fault."""

    @property
    def out_of_reach(self) -> tuple[str, ...]:
        """Kinds of faults that fail the measure no more surely than right answers do."""
        limit = self.rejected.value or 0.0
        kinds = self.by_kind.items()
        return tuple(kind for kind, share in kinds if share.low is None or share.low <= limit)


async def measured(
    observations: Sequence[Observation], use: Instruments
) -> dict[str, dict[str, Score]]:
    """What a scoreboard shows, by measure and question: the quality notebook's own measures."""
    known = {each.name: each for each in (*QUALITY, _OWN) if each.name in SCOREBOARD}
    rows: dict[str, dict[str, Score]] = {name: {} for name in SCOREBOARD}
    for name, measure in known.items():
        for seen in filter(measure.asked_of, observations):
            rows[name][seen.question.id] = await score_of(measure, seen, use)
    return rows


def validity(real: PlantedRun, runs: Sequence[PlantedRun]) -> tuple[Validity, ...]:
    """The validity of each measure of `PASSES`; faults made by rule spoil the `real` answers."""
    faulty = [run for run in runs if run.faulty]
    right = [run for run in runs if not run.faulty]
    return tuple(
        Validity(
            measure,
            least,
            _failing("faulty answers", _verdicts(faulty, real, measure), real.groups),
            _failing("right answers", _verdicts(right, real, measure), real.groups),
            {
                run.kind: _failing(run.kind, _verdicts([run], real, measure), real.groups)
                for run in faulty
            },
        )
        for measure, least in PASSES.items()
    )


def averages(run: PlantedRun, *, seed: int = 0) -> dict[str, Aggregate]:
    """The run's mean of each measure of a scoreboard."""
    return {
        measure: aggregate(measure, rows, clusters=run.groups, seed=seed, proportion=True)
        for measure, rows in run.rows.items()
    }


def differences(real: PlantedRun, run: PlantedRun, *, seed: int = 0) -> dict[str, PairedDifference]:
    """The difference to the real answers on the same questions, by measure."""
    return {
        measure: paired_difference(
            measure, real.rows[measure], rows, clusters=run.groups, seed=seed
        )
        for measure, rows in run.rows.items()
    }


def differing(changes: Mapping[str, PairedDifference]) -> tuple[str, ...]:
    """The measures whose interval of the difference leaves 0 out."""
    return tuple(name for name, change in changes.items() if _apart(change))


def _apart(change: PairedDifference) -> bool:
    if change.low is None or change.high is None:  # without a spread, all differences are equal
        return bool(change.mean) and change.n > 1
    return not change.low <= 0 <= change.high


def meets_targets(means: Mapping[str, Aggregate]) -> bool:
    """Whether every measure that a release has a target for reaches it; unmeasured is not met."""
    values = {name: means[name].value for name in PASSES}
    return all(value is not None and value >= PASSES[name] for name, value in values.items())


def _failing(
    name: str, verdicts: Mapping[tuple[str, str], Score], groups: Mapping[str, str]
) -> Aggregate:
    rows = {" ".join(key): verdict for key, verdict in verdicts.items()}
    clusters = {" ".join(key): groups[key[1]] for key in verdicts}
    return aggregate(name, rows, clusters=clusters, proportion=True)


def _verdicts(
    runs: Sequence[PlantedRun], real: PlantedRun, measure: str
) -> dict[tuple[str, str], Score]:
    """1 where an answer fails, by kind and question, over the answers that show the plant."""
    before = {question: _failed(score, measure) for question, score in real.rows[measure].items()}
    return {
        (run.kind, question): _failed(score, measure)
        for run in runs
        for question, score in run.rows[measure].items()
        if question in run.planted
        if not run.by_rule or before[question] == Scored(0.0)
    }


def _failed(score: Score, measure: str) -> Score:
    return Scored(float(score.value < PASSES[measure])) if isinstance(score, Scored) else score


def _declined(seen: Observation) -> Score:
    """Share of the questions that are declined."""
    if seen.answer is None:
        return Unscored(seen.failure)
    return Scored(float(seen.answer.declines))


_OWN = Measure(DECLINED, "answers declined", frozenset(Scenario), lambda seen, _: _declined(seen))
