"""A recording: what a run measured, question by question, as small as a gate needs it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from rag_core.errors import InvalidInput

T = TypeVar("T")

Repeats = Sequence[float | None]
"""A question's score in each run of a measure, in the measure's unit; None where it has none."""


class Unusable(InvalidInput):
    """A folder that is there, but holds nothing that can be compared."""


class Suite(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One set of questions: the golden ones, or a collection's as one method searched it."""

    hashes: Mapping[str, str]
    """Of each question's row and what it is asked of: another hash is another question."""
    scores: Mapping[str, Mapping[str, Repeats]]
    """Measure -> question -> score."""
    groups: Mapping[str, str] = {}
    """Question -> those that go well or badly together; "" or none: alone."""


class Said(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question in words, and what the first run answered."""

    question: str
    text: str


class MeasureCard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The shares of planted faults that a measure notices, and of right answers it rejects."""

    noticed: float | None
    """A share."""
    rejected: float | None
    """A share."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What came of a notebook: its problem, empty where there was none, and its exit code."""

    problem: str = ""
    exit_code: int = 0


class Recording(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that a gate compares of one run, or of several of the same code and data."""

    name: str
    commit: str
    golden: str
    """Digest of the golden data."""
    judge: str
    """What judged the answers: the check of support, and the LLM if one did."""
    machine: str
    notebooks: Mapping[str, Outcome]
    suites: Mapping[str, Suite] = {}
    answers: Mapping[str, Said] = {}
    amounts: Mapping[str, float] = {}
    """Figures of cost and caches by name; each in the unit that its name says."""
    cards: Mapping[str, MeasureCard] = {}


def merged(runs: Sequence[Recording]) -> Recording:
    """Several runs as one: what was measured more than once is repeated, in the order of `runs`.

    Raises:
        Unusable: they are of different code, data or judges, or asked different questions.
    """
    first, *others = runs
    for other in others:
        _require_alike(first, other)
    suites = {name: _suite(name, runs) for run in runs for name in run.suites}
    return msgspec.structs.replace(
        first,
        judge=next((run.judge for run in runs if run.judge), ""),
        notebooks=_worst(runs),
        suites=suites,
        answers=_first_of(run.answers for run in runs),
        amounts=_first_of(run.amounts for run in runs),
        cards=_first_of(run.cards for run in runs),
    )


def _require_alike(one: Recording, other: Recording) -> None:
    for field in ("commit", "golden", "judge"):
        mine, its = getattr(one, field), getattr(other, field)
        if mine and its and mine != its:
            raise Unusable(
                f"{one.name} and {other.name}",
                f"are no repeats of each other: {field} {mine[:40]} and {its[:40]}",
                "Put runs of one commit, one golden folder and one judge into a folder",
            )


def _worst(runs: Iterable[Recording]) -> dict[str, Outcome]:
    worst: dict[str, Outcome] = {}
    for run in runs:
        for name, outcome in run.notebooks.items():
            if name not in worst or outcome.exit_code > worst[name].exit_code:
                worst[name] = outcome
    return worst


def _first_of(maps: Iterable[Mapping[str, T]]) -> dict[str, T]:
    found: dict[str, T] = {}
    for each in maps:
        found = {**each, **found}
    return found


def _suite(name: str, runs: Sequence[Recording]) -> Suite:
    parts = [run.suites[name] for run in runs if name in run.suites]
    first = parts[0]
    if any(part.hashes != first.hashes for part in parts):
        raise Unusable(f"suite {name}", "was asked different questions in the runs of one folder")
    scores: dict[str, dict[str, list[float | None]]] = {}
    for part in parts:
        for measure, rows in part.scores.items():
            of_measure = scores.setdefault(measure, {})
            for question, values in rows.items():
                of_measure.setdefault(question, []).extend(values)
    return Suite(hashes=first.hashes, scores=scores, groups=first.groups)
