"""Two runs of one golden set, question by question: what became better, what worse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from evals.comparison.runs import Run
from evals.measures.scores import Score, Scored
from evals.measures.summary import Rows
from evals.stats.paired import PairedDifference, Verdict, paired_difference
from rag_core.errors import InvalidInput

CASES = 8
"""Questions shown side by side: a choice, a page's worth."""

_SPENT = ("ms", "tokens", "USD")
"""Units of what no answer shows."""

_NEGLIGIBLE = 0.01
"""Of tokens and dollars: a canary of its own, of a run made elsewhere, may take a token more."""


_ROUNDING = 1e-5
"""Scores no further apart are the same: a text's vector differs in its last digits with the texts
that were in its batch."""


@dataclass(frozen=True, slots=True)
class Change:
    """A measure in both runs; `difference` is of the questions that both scored.

    `timed` measures are the machine's as much as the code's.
    """

    measure: str
    unit: str
    before: float | None
    """Mean over the questions that both scored, in `unit`; of an empty one, a share."""
    after: float | None
    """Likewise, in `unit`."""
    difference: PairedDifference
    verdict: Verdict
    timed: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """All changes, and the questions whose scores or words changed, those most changed first."""

    before: Run
    after: Run
    changes: Sequence[Change]
    questions: Sequence[str]

    @property
    def configured(self) -> dict[str, tuple[str, str]]:
        """What the runs were made with where it differs, by its name: before and after."""
        old, new = self.before.configured, self.after.configured
        both = [name for name in old if name in new]
        return {name: (old[name], new[name]) for name in both if old[name] != new[name]}

    @property
    def judged(self) -> list[Change]:
        """The changes that are the code's: no times."""
        return [change for change in self.changes if not change.timed]

    @property
    def same(self) -> bool:
        """Whether every answer and every score, times apart, is the same."""
        return not self.questions


def compare(before: Run, after: Run, *, seed: int = 0) -> Comparison:
    """Pair two runs by question.

    Raises:
        InvalidInput: they asked different golden data.
    """
    if before.golden_digest != after.golden_digest:
        raise InvalidInput(
            "runs",
            f"{before.name} is of golden data {before.golden_digest[:12]}, {after.name} of "
            f"{after.golden_digest[:12]}: a difference would be the data's",
            "Run one of them again on the other's golden data",
        )
    after = replace(after, rows=_snapped(before, after))
    common = [name for name in before.rows if name in after.rows]
    changes = [_change(name, before, after, seed) for name in common]
    said = [change.measure for change in changes if change.unit not in _SPENT]
    amounts = _amounts(before, after, said)
    ordered = sorted(amounts, key=lambda question: (-amounts[question], question))
    return Comparison(before, after, changes, ordered)


def _snapped(before: Run, after: Run) -> Rows:
    """The rows of `after`; a share that is one of `before` but for rounding is that one."""
    rows = dict(after.rows)
    for name in rows.keys() & before.rows.keys():
        if not after.measures.get(name, {}).get("unit"):
            old = before.rows[name]
            rows[name] = {q: _near(old.get(q), score) for q, score in rows[name].items()}
    return rows


def _near(old: Score | None, new: Score) -> Score:
    if not (isinstance(old, Scored) and isinstance(new, Scored)):
        return new
    return old if abs(new.value - old.value) <= _ROUNDING else new


def _change(name: str, before: Run, after: Run, seed: int) -> Change:
    about = after.measures.get(name, {})
    old, new = before.rows[name], after.rows[name]
    both = [q for q in old if isinstance(old[q], Scored) and isinstance(new.get(q), Scored)]
    unit = about.get("unit", "")
    groups = {question: said.get("group", "") for question, said in after.answers.items()}
    direction: Literal["higher", "lower"] = "lower" if about.get("better") == "lower" else "higher"
    difference = paired_difference(name, old, new, clusters=groups, seed=seed, direction=direction)
    return Change(
        name,
        unit,
        _mean(old, both),
        _mean(new, both),
        difference,
        _verdict(difference, unit, _mean(old, both)),
        timed=unit == "ms",
    )


def _verdict(difference: PairedDifference, unit: str, before: float | None) -> Verdict:
    mean = difference.mean or 0.0
    if unit in ("tokens", "USD") and abs(mean) <= _NEGLIGIBLE * (before or 0.0):
        return "no difference seen"
    return difference.verdict


def _amounts(before: Run, after: Run, measures: Sequence[str]) -> dict[str, float]:
    """How much each changed question changed: the sum of its shares' differences.

    A share that is scored in one run only counts 1, anything else that changed 0.
    """
    amounts: dict[str, float] = {}
    for name in measures:
        share = not after.measures.get(name, {}).get("unit")
        for question, old in before.rows[name].items():
            new = after.rows[name].get(question)
            if new != old:
                amount = _amount(old, new) if share else 0.0
                amounts[question] = amounts.get(question, 0.0) + amount
    for question, said in before.answers.items():
        if said.get("text") != after.answers.get(question, said).get("text"):
            amounts.setdefault(question, 0.0)
    return amounts


def _amount(old: Score, new: Score | None) -> float:
    if isinstance(old, Scored) and isinstance(new, Scored):
        return abs(new.value - old.value)
    return 0.0 if type(old) is type(new) else 1.0


def _mean(scores: Mapping[str, Score], questions: Sequence[str]) -> float | None:
    values = [score.value for q in questions if isinstance(score := scores[q], Scored)]
    return sum(values) / len(values) if values else None
