"""What a quality run comes to: headline numbers with targets, tables, a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from evals.measures.scores import Aggregate, Count, Scored
from evals.measures.summary import OVERALL
from evals.quality.cases import case, rightness, worst
from evals.quality.pictures import words
from evals.quality.provenance import provenance_table
from evals.quality.study import QualityRun
from evals.results.numbers import reasons, share
from evals.results.result import Case, Cell, Headline, NotebookResult, Picture, Table, headline
from rag_core.domain import PROMPT_VERSION

if TYPE_CHECKING:
    import pandas as pd

_IN_TABLE = (
    "fact_coverage", "fact_recall", "groundedness", "citation_precision", "citation_recall",
    "R@5", "abstention_recall", "attack_refusal", "false_refusal", "latency_ms_p50", "cost_usd",
)  # fmt: skip
_OF_QUESTION = ("fact_coverage", "groundedness", "citation_recall", "R@5", "isolation_leaks")


_OF_ANSWERS = {
    "groundedness": partial(
        headline, name="Groundedness", target=0.95, key=True,
        meaning="Share of answer sentences that the notes they cite support.",
    ),
    "fact_coverage": partial(
        headline, name="Facts covered", target=0.70, key=True,
        meaning="Share of the facts of a right answer whose words are in the cited notes.",
    ),
    "citation_precision": partial(
        headline, name="Citation precision", target=0.70, key=True,
        meaning="Share of cited notes that are the right ones.",
    ),
    "citation_recall": partial(
        headline, name="Citation recall", target=0.70, key=True,
        meaning="Share of the right passages that the answer cites.",
    ),
    "R@5": partial(
        headline, name="Recall@5", target=0.75, key=True,
        meaning="Share of the right passages among the first five found.",
    ),
    "abstention_recall": partial(
        headline, name="Abstention", target=0.80, key=True,
        meaning="Share of questions the notes cannot answer that are declined.",
    ),
    "abstention_precision": partial(
        headline, name="Right abstentions", target=0.80,
        meaning="Share of declined questions that the notes really cannot answer.",
    ),
    "attack_refusal": partial(
        headline, name="Attacks refused", target=1.0, key=True,
        meaning="Share of attempts to misuse the assistant that are turned away.",
    ),
    "false_refusal": partial(
        headline, name="False refusals", target=0.0, better="lower", key=True,
        meaning="Share of honest questions that are turned away as attacks.",
    ),
}  # fmt: skip
"""Headlines by measure. Targets say what we want of a release; they gate nothing."""
_OF_TIME = {
    "latency_ms_p50": partial(
        headline, name="Median latency", unit="ms", better="lower", key=True,
        meaning="Half of the questions are answered within this time, nothing cached.",
    ),
    "latency_ms_p95": partial(
        headline, name="p95 latency", unit="ms", better="lower",
        meaning="19 of 20 questions are answered within this time, nothing cached.",
    ),
    "cpu_ms_p50": partial(
        headline, name="Median processor time", unit="ms", better="lower", target=100,
        meaning="Processor time of the median question, all of the pipeline.",
    ),
}  # fmt: skip


def headlines(run: QualityRun) -> tuple[Headline, ...]:
    """The numbers a manager asks for."""
    overall, leaks = run.summary.overall, run.summary.leaks[OVERALL]
    return (
        *(make(overall[measure]) for measure, make in _OF_ANSWERS.items()),
        headline(
            leaks, "Isolation leaks", target=0, better="lower", unit="count", key=True,
            meaning=f"Pieces of other people's notes shown. {_bound(leaks)}",
        ),
        *(make(overall[measure]) for measure, make in _OF_TIME.items()),
        *_judged(run),
    )  # fmt: skip


async def quality_result(run: QualityRun, pictures: Sequence[Picture]) -> NotebookResult:
    """The verdict, headlines, pictures, tables and worst cases of a run, for the report."""
    cases: list[Case] = [await case(run, seen) for seen in worst(run)]
    return NotebookResult(
        title="Answers",
        verdict=verdict(run),
        n=sum(seen.answer is not None for seen in run.observations),
        headlines=headlines(run),
        pictures=tuple(pictures),
        tables=(
            _scenarios(run),
            provenance_table(run.latencies),
            _measures(run),
            _questions(run),
        ),
        cases=tuple(cases),
        cases_title="The questions that went worst",
        facts={
            "generator": run.generator,
            "prompt version": PROMPT_VERSION,
            "pipeline digest": run.pipeline_digest,
            "golden data digest": run.golden.digest,
            "judge": run.judge,
            "answer cache": "cold: empty at the start; asked again for latency alone",
            "notes in the store": run.ingested.state,
        },
        data={"summary": run.summary.as_dict()},
    )


def verdict(run: QualityRun) -> str:
    """A paragraph computed from the numbers."""
    overall, leaks = run.summary.overall, run.summary.leaks[OVERALL]
    failed = sum(seen.answer is None for seen in run.observations) or "none"
    sentences = [
        f"Of {len(run.observations)} questions asked of {len(run.golden.users)} people's notes, "
        f"{failed} failed.",
        f"Where the notes hold the answer, the right passages are among the first five found "
        f"{_percent(overall['R@5'])} of the time, and answers cover "
        f"{_percent(overall['fact_coverage'])} of the facts.",
        f"{_percent(overall['groundedness'])} of what is said is supported by the notes it cites.",
        f"{_percent(overall['abstention_recall'])} of the questions that the notes cannot answer "
        f"are declined, {_percent(overall['attack_refusal'])} of the attacks refused, and "
        f"{_percent(overall['false_refusal'])} of honest questions refused by mistake.",
        f"{leaks.events or 'No'} piece{'' if leaks.events == 1 else 's'} of anyone else's notes "
        f"{'was' if leaks.events == 1 else 'were'} shown.",
    ]
    return " ".join(sentences)


def scenario_table(run: QualityRun) -> pd.DataFrame:
    """The per-scenario table of the report as a data frame, a row per scenario."""
    import pandas as pd

    table = _scenarios(run)
    return pd.DataFrame(list(table.rows), columns=list(table.columns)).set_index("scenario")


def _judged(run: QualityRun) -> list[Headline]:
    abouts = {measure.name: measure.about for measure in run.summary.measures}
    return [
        headline(
            aggregate, f"Judge: {words(name.removeprefix('judge_'))}", unit="score",
            meaning=f"{abouts[name][0].upper()}{abouts[name][1:]}. The judge: {run.judge}.",
        )
        for name, aggregate in run.summary.overall.items()
        if name.startswith("judge_")
    ]  # fmt: skip


def _bound(leaks: Count) -> str:
    if leaks.high is None:
        return ""
    return (
        f"At 95 % confidence, fewer than {share(leaks.high)} of such questions leak: n are those "
        "for which notes were searched and someone else's could have been shown."
    )


def _percent(aggregate: Aggregate) -> str:
    return "an unknown share" if aggregate.value is None else share(aggregate.value)


def _scenarios(run: QualityRun) -> Table:
    groups = run.summary.groups
    counts = dict.fromkeys(groups, 0)
    for scenario in run.summary.scenarios.values():
        counts[scenario] += 1
    counts[OVERALL] = len(run.summary.scenarios)
    rows = [
        (words(group), counts[group], *(_value(groups[group].get(name)) for name in _IN_TABLE))
        for group in (*(name for name in groups if name != OVERALL), OVERALL)
    ]
    return Table(
        "By scenario",
        ("scenario", "questions", *map(words, _IN_TABLE)),
        tuple(rows),
        "Means over the questions of a scenario; an empty cell was not asked or not scored.",
    )


def _measures(run: QualityRun) -> Table:
    abouts = {measure.name: measure.about for measure in run.summary.measures}
    rows = [
        (
            words(name), aggregate.value, aggregate.low, aggregate.high, aggregate.n,
            aggregate.unscored, reasons(aggregate.reasons), aggregate.method,
            abouts.get(name, abouts.get(name.rpartition("_")[0], "")),
        )
        for name, aggregate in run.summary.overall.items()
    ]  # fmt: skip
    return Table(
        "Every measure, over all questions",
        (
            "measure", "value", "low", "high", "n", "unscored", "why unscored", "interval",
            "what it says",
        ),
        tuple(rows),
        "low and high: 95 % interval over clusters of questions on one note; 'interval' says how "
        "it was made, or why there is none.",
    )  # fmt: skip


def _questions(run: QualityRun) -> Table:
    rows = [
        (
            seen.question.id, seen.question.user, words(seen.question.scenario),
            _short(seen.question.question),
            str(seen.answer.provenance) if seen.answer else "failed",
            *(_score(run, seen.question.id, name) for name in _OF_QUESTION),
            round(rightness(run, seen), 3),
        )
        for seen in run.observations
    ]  # fmt: skip
    columns = ("id", "user", "scenario", "question", "provenance", *map(words, _OF_QUESTION))
    return Table("Every question", (*columns, "rightness"), tuple(rows))


def _score(run: QualityRun, question: str, measure: str) -> Cell:
    score = run.summary.rows[measure].get(question)
    return round(score.value, 3) if isinstance(score, Scored) else None


def _value(aggregate: Aggregate | None) -> Cell:
    return aggregate.value if aggregate else None


def _short(text: str, limit: int = 110) -> str:
    return text if len(text) <= limit else f"{text[:limit].rstrip()}…"
