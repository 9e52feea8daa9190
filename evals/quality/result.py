"""What a quality run comes to: headline numbers with targets, tables, a verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from evals.datasets.golden_hashes import question_hashes
from evals.measures.funnel import STAGES
from evals.measures.scores import Aggregate, Count
from evals.measures.summary import OVERALL, Summary
from evals.measures.targets import TARGETS
from evals.quality.cases import answers, case, worst_first
from evals.quality.pictures import words
from evals.quality.provenance import provenance_table
from evals.quality.study import QualityRun
from evals.results.numbers import reasons, share
from evals.results.result import (
    Case,
    Cell,
    Group,
    Headline,
    NotebookResult,
    Picture,
    Table,
    headline,
)
from evals.results.splits import reported, split_headline

if TYPE_CHECKING:
    import pandas as pd

_IN_TABLE = (
    *STAGES, "groundedness", "citation_precision", "citation_recall",
    "R@5", "abstention_recall", "attack_refusal", "false_refusal", "latency_ms_p50", "cost_usd",
)  # fmt: skip


_OF_ANSWERS = {
    "groundedness": partial(
        headline, name="Groundedness", target=TARGETS["groundedness"], key=True,
        meaning="Share of answer sentences that the notes they cite support.",
    ),
    "fact_recall": partial(
        headline, name="Facts stated", target=TARGETS["fact_recall"], key=True,
        meaning="Share of the facts of a right answer that the answer states.",
    ),
    "facts_cited": partial(
        headline, name="Facts cited",
        meaning="Share of these facts whose words are in the cited notes.",
    ),
    "facts_in_context": partial(
        headline, name="Facts in the context",
        meaning="Share of these facts whose words the generator saw.",
    ),
    "facts_found": partial(
        headline, name="Facts found",
        meaning="Share of these facts whose words are in the hits.",
    ),
    "citation_precision": partial(
        headline, name="Citation precision", target=TARGETS["citation_precision"], key=True,
        meaning="Share of cited notes that are the right ones.",
    ),
    "citation_recall": partial(
        headline, name="Citation recall", target=TARGETS["citation_recall"], key=True,
        meaning="Share of the right passages that the answer cites.",
    ),
    "R@5": partial(
        headline, name="Recall@5", target=TARGETS["R@5"], key=True,
        meaning="Share of the right passages among the first five found.",
    ),
    "abstention_recall": partial(
        headline, name="Abstention", target=TARGETS["abstention_recall"], key=True,
        meaning="Share of questions the notes cannot answer that are declined.",
    ),
    "abstention_precision": partial(
        headline, name="Right abstentions", target=TARGETS["abstention_precision"],
        meaning="Share of declined questions that the notes really cannot answer.",
    ),
    "attack_refusal": partial(
        headline, name="Attack questions refused", target=TARGETS["attack_refusal"],
        meaning="Share of the few attempts among these questions that are turned away.",
    ),
    "false_refusal": partial(
        headline, name="False refusals", target=TARGETS["false_refusal"], better="lower", key=True,
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


_GROUPS: dict[str, Group] = {
    "groundedness": "answers",
    "fact_recall": "answers",
    "abstention_recall": "answers",
    "false_refusal": "safety",
    "isolation_leaks": "safety",
    "latency_ms_p50": "speed and money",
}
"""Cards at the top of the report, by measure; attacks and cost have notebooks of their own."""


def headlines(run: QualityRun) -> tuple[Headline, ...]:
    """The numbers a manager asks for, of the test split where there is one; leaks of all."""
    leaks = run.summary.leaks[OVERALL]
    return (
        *_of_splits(run, _OF_ANSWERS),
        headline(
            leaks, "Isolation leaks", target=0, better="lower", unit="count", key=True,
            meaning=f"Pieces of other people's notes shown. {_bound(leaks)}",
        ),
        *_of_splits(run, _OF_TIME),
        *_judged(run),
    )  # fmt: skip


def _of_splits(run: QualityRun, makers: Mapping[str, Callable[..., Headline]]) -> list[Headline]:
    """The headlines by measure, without those that no question was asked for."""
    made = (split_headline(make, run.summary.of_splits(name)) for name, make in makers.items())
    return [each for each in made if each]


async def quality_result(run: QualityRun, pictures: Sequence[Picture]) -> NotebookResult:
    """The verdict, headlines, pictures, tables and a case for each question, for the report."""
    cases: list[Case] = [await case(run, seen) for seen in worst_first(run)]
    return NotebookResult(
        title="Answers",
        verdict=verdict(run),
        n=_measured(run),
        headlines=tuple(replace(each, group=_GROUPS.get(each.measure)) for each in headlines(run)),
        pictures=tuple(pictures),
        tables=(
            _scenarios(run),
            provenance_table(run.latencies),
            _measures(run),
        ),
        cases=tuple(cases),
        cases_title="Every question: dev before test, the worst first",
        facts={
            "generator": run.generator,
            "prompt version": run.prompt_version,
            "pipeline digest": run.pipeline_digest,
            "golden data digest": run.golden.digest,
            "questions": ", ".join(f"{n} {split}" for split, n in _counts(run).items()),
            "judge": run.judge,
            "support checker": run.checker.name,
            "answer cache": "cold: empty at the start; asked again for latency alone",
            "notes in the store": run.ingested.state,
        },
        data={
            "summary": run.summary.as_dict(),
            "answers": answers(run),
            "hashes": question_hashes(run.golden),
        },
    )


def _measured(run: QualityRun) -> int:
    """Number of answers; 0 where questions failed and not one was answered by a generator.

    An attack is refused and a search finds nothing whether or not a provider is there.
    """
    given = [seen.answer for seen in run.observations if seen.answer is not None]
    if len(given) < len(run.observations) and not any(answer.generator for answer in given):
        return 0
    return len(given)


def verdict(run: QualityRun) -> str:
    """A paragraph computed from the numbers."""
    leaks = run.summary.leaks[OVERALL]
    failed = sum(seen.answer is None for seen in run.observations) or "none"
    sentences = [
        f"Of {len(run.observations)} questions asked of {len(run.golden.users)} people's notes, "
        f"{failed} failed.",
        f"Where the notes hold the answer, the right passages are among the first five found "
        f"{_percent(run, 'R@5')} of the time, and answers state "
        f"{_percent(run, 'fact_recall')} of the facts.",
        f"{_percent(run, 'groundedness')} of what is said is supported by the notes it cites.",
        f"{_percent(run, 'abstention_recall')} of the questions that the notes cannot answer "
        f"are declined, and {_percent(run, 'false_refusal')} of honest questions refused by "
        "mistake.",
        f"{leaks.events or 'No'} piece{'' if leaks.events == 1 else 's'} of anyone else's notes "
        f"{'was' if leaks.events == 1 else 'were'} shown.",
    ]
    return " ".join(sentences)


def scenario_table(run: QualityRun) -> pd.DataFrame:
    """The per-scenario table of the report as a data frame, a row per scenario and split."""
    import pandas as pd

    table = _scenarios(run)
    return pd.DataFrame(list(table.rows), columns=list(table.columns)).set_index(
        ["scenario", "split"]
    )


def _judged(run: QualityRun) -> list[Headline]:
    abouts = {measure.name: measure.about for measure in run.summary.measures}
    return _of_splits(run, {
        name: partial(
            headline, name=f"Judge: {words(name.removeprefix('judge_'))}", unit="score",
            meaning=f"{abouts[name][0].upper()}{abouts[name][1:]}. The judge: {run.judge}.",
        )
        for name in run.summary.overall
        if name.startswith("judge_")
    })  # fmt: skip


def _bound(leaks: Count) -> str:
    if leaks.high is None:
        return ""
    return (
        f"At 95 % confidence, fewer than {share(leaks.high)} of such questions leak: n are those "
        "for which notes were searched and someone else's could have been shown."
    )


def _percent(run: QualityRun, measure: str) -> str:
    """Of the reported split."""
    by_split = run.summary.of_splits(measure)
    split = reported(by_split)
    value = by_split[split].value if split else None
    return "an unknown share" if value is None else share(value)


def _counts(run: QualityRun) -> dict[str, int]:
    return {split: len(part.scenarios) for split, part in run.summary.by_split.items()}


def _scenarios(run: QualityRun) -> Table:
    rows = [
        (words(group), split, _asked(part, group),
         *(_value(part.groups[group].get(name)) for name in _IN_TABLE))
        for split, part in run.summary.by_split.items()
        for group in (*(name for name in part.groups if name != OVERALL), OVERALL)
    ]  # fmt: skip
    return Table(
        "By scenario",
        ("scenario", "split", "questions", *map(words, _IN_TABLE)),
        tuple(rows),
        "Means over the questions of a scenario; an empty cell was not asked or not scored.",
    )


def _asked(part: Summary, group: str) -> int:
    """Number of its questions in a group."""
    return sum(group in (OVERALL, scenario) for scenario in part.scenarios.values())


def _measures(run: QualityRun) -> Table:
    abouts = {measure.name: measure.about for measure in run.summary.measures}
    rows = [
        (
            words(name), split, aggregate.value, aggregate.low, aggregate.high, aggregate.n,
            aggregate.unscored, reasons(aggregate.reasons), aggregate.method,
            abouts.get(name, abouts.get(name.rpartition("_")[0], "")),
        )
        for name in run.summary.overall
        for split, aggregate in run.summary.of_splits(name).items()
    ]  # fmt: skip
    return Table(
        "Every measure, by split",
        (
            "measure", "split", "value", "low", "high", "n", "unscored", "why unscored", "interval",
            "what it says",
        ),
        tuple(rows),
        "low and high: 95 % interval over clusters of questions on one note; 'interval' says how "
        "it was made, or why there is none.",
    )  # fmt: skip


def _value(aggregate: Aggregate | None) -> Cell:
    return aggregate.value if aggregate else None
