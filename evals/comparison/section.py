"""What a comparison says: a paragraph, a table of measures, answers side by side."""

from __future__ import annotations

from collections.abc import Sequence

from evals.comparison.compare import CASES, Change, Comparison
from evals.comparison.runs import Run
from evals.measures.scores import Score, Scored
from evals.results.result import Block, Case, Cell, NotebookResult, Table
from evals.stats.paired import Verdict

_COLUMNS = ("measure", "before", "after", "difference", "low", "high", "questions", "verdict")

_IN_TABLE = {"USD": ("USD of 1,000 questions", 1000.0)}
"""Units in which a number would have no digit left: how the table calls them, and how many."""


def section(comparison: Comparison) -> NotebookResult:
    """The comparison as a notebook's result is, for a report or a terminal."""
    return NotebookResult(
        title=f"Since {comparison.before.name}",
        verdict=verdict(comparison),
        n=max((change.difference.n for change in comparison.changes), default=0),
        tables=(change_table(comparison),),
        cases=tuple(_case(comparison, question) for question in comparison.questions[:CASES]),
        cases_title="The questions that changed most",
        facts={
            "before": comparison.before.name,
            "after": comparison.after.name,
            **{name: f"{old} → {new}" for name, (old, new) in comparison.configured.items()},
        },
    )


def verdict(comparison: Comparison) -> str:
    """A paragraph computed from the differences."""
    judged = comparison.judged
    if failed := [run for run in (comparison.before, comparison.after) if run.problem]:
        said = "; ".join(f"{run.name}: {run.problem}" for run in failed)
        return f"Nothing can be said: a run failed ({said})."
    if comparison.same:
        words = ", every answer the same word for word" if comparison.after.answers else ""
        return f"Nothing differs: {len(judged)} measures, question by question{words}."
    seen = [_those(judged, "better"), _those(judged, "worse")]
    unseen = len(judged) - sum(change.verdict in ("better", "worse") for change in judged)
    by_chance = "Of twenty measures that did not change, one is seen to by chance."
    sentences = [
        *seen,
        f"No difference seen in {unseen} of {len(judged)} measures.",
        f"{len(comparison.questions)} questions changed.",
        by_chance if any(seen) else "",
    ]
    return " ".join(filter(None, sentences))


def _those(changes: Sequence[Change], verdict_: Verdict) -> str:
    names = [change.measure.replace("_", " ") for change in changes if change.verdict == verdict_]
    return f"{verdict_.capitalize()}: {', '.join(names)}." if names else ""


def change_table(comparison: Comparison) -> Table:
    """A row a measure, those that changed first."""
    order = ("worse", "better", "no difference seen", "too few")
    ranked = sorted(comparison.changes, key=lambda each: (each.timed, order.index(each.verdict)))
    return Table(
        "Every measure, question by question",
        _COLUMNS,
        tuple(map(_row, ranked)),
        "Means over the questions that both runs scored, their difference and its 95 % interval "
        "over clusters of questions; none where all differences are equal. "
        "Times are the machine's as much as the code's, and not in the verdict.",
    )


def _row(change: Change) -> tuple[Cell, ...]:
    found = change.difference
    unit, times = _IN_TABLE.get(change.unit, (change.unit, 1.0))
    name = change.measure.replace("_", " ") + (f", {unit}" if unit else "")
    verdict_ = f"{change.verdict} (time)" if change.timed else change.verdict
    values = (change.before, change.after, found.mean, found.low, found.high)
    means = (None if value is None else times * value for value in values)
    return (name, *means, found.n, verdict_)


def _case(comparison: Comparison, question: str) -> Case:
    asked = comparison.after.answers.get(question) or comparison.before.answers.get(question, {})
    scores: list[tuple[str, Cell]] = []
    for change in comparison.judged:
        old = comparison.before.rows[change.measure].get(question)
        new = comparison.after.rows[change.measure].get(question)
        if old != new:
            scores.append((change.measure.replace("_", " "), f"{_worded(old)} → {_worded(new)}"))
    return Case(
        title=question,
        summary=asked.get("question", ""),
        columns=(
            ("Before", _answer(comparison.before, question)),
            ("After", _answer(comparison.after, question)),
        ),
        scores=tuple(scores),
    )


def _answer(run: Run, question: str) -> tuple[Block, ...]:
    said = run.answers.get(question)
    if said is None:
        return (Block("not kept", "This run kept no answers."),)
    return (Block(said.get("provenance", ""), said.get("text", "")),)


def _worded(score: Score | None) -> str:
    if score is None:
        return "not asked"
    return f"{score.value:.3g}" if isinstance(score, Scored) else "unscored"
