"""The summary of a run: every score, and every measure per scenario and over all questions."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from evals.datasets.golden import Passage, Split
from evals.measures.catalogue import (
    LEAKS,
    RAGAS_ANSWER,
    RAGAS_CONTEXT,
    Instruments,
    Measure,
    measures,
)
from evals.measures.check_failure import CheckFailed
from evals.measures.judged import judged_scores
from evals.measures.observations import Observation
from evals.measures.retrieval import ranked_passages, score_golden
from evals.measures.scores import Aggregate, Count, Score, Scored, Unscored, aggregate, count_events
from rag_core.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

OVERALL = "overall"
SPLITS: tuple[Split, ...] = ("test", "dev")
"""What is reported first."""
AT_A_TIME = 8
"""Observations measured at once: a judge is waited for, the rest takes little time."""

Rows = Mapping[str, Mapping[str, Score]]
"""Measure -> question id -> score."""


@dataclass(frozen=True)
class Summary:
    """What a run of observations measured."""

    measures: tuple[Measure, ...]
    scenarios: Mapping[str, str]
    """Question id -> scenario."""
    splits: Mapping[str, Split]
    """Question id -> split."""
    clusters: Mapping[str, str]
    """Question id -> group; questions of one group go well or badly together."""
    rows: Rows
    seed: int

    @cached_property
    def groups(self) -> Mapping[str, Mapping[str, Aggregate]]:
        """`overall` and each scenario -> its aggregates by name."""
        return _groups(self.measures, self.rows, self.scenarios, self.clusters, self.seed)

    @cached_property
    def leaks(self) -> Mapping[str, Count]:
        """`overall` and each scenario -> the count of isolation leaks."""
        grouped = _by_group(self.rows[LEAKS], self.scenarios)
        return {
            group: count_events(LEAKS, scores, clusters=self.clusters)
            for group, scores in grouped.items()
        }

    @cached_property
    def by_split(self) -> Mapping[Split, Summary]:
        """The summaries of test and dev apart, as far as they are there, test first."""
        found: set[Split] = set(self.splits.values())
        return {split: self._of(split) for split in SPLITS if split in found}

    def of_splits(self, measure: str) -> Mapping[Split, Aggregate]:
        """The aggregate of each split that is there."""
        return {split: part.overall[measure] for split, part in self.by_split.items()}

    def _of(self, split: Split) -> Summary:
        ids = {question for question, its in self.splits.items() if its == split}
        rows = {
            name: {question: score for question, score in scores.items() if question in ids}
            for name, scores in self.rows.items()
        }
        scenarios = {question: its for question, its in self.scenarios.items() if question in ids}
        return replace(self, scenarios=scenarios, splits=dict.fromkeys(ids, split), rows=rows)

    @property
    def overall(self) -> Mapping[str, Aggregate]:
        """The aggregates over all questions, by name."""
        return self.groups[OVERALL]

    def scores(self, measure: str) -> Mapping[str, Score]:
        """The score of each question that the measure was asked of."""
        return self.rows[measure]

    def of_question(self, question: str) -> dict[str, Score]:
        """Every score of one question."""
        return {name: rows[question] for name, rows in self.rows.items() if question in rows}

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values; a score is `{"value": 0.5}` or `{"unscored": "why"}`."""
        return {
            "seed": self.seed,
            "questions": dict(self.scenarios),
            "splits": dict(self.splits),
            "measures": {
                measure.name: {
                    "about": measure.about,
                    "better": measure.better,
                    "unit": measure.unit,
                }
                for measure in self.measures
            },
            "groups": _plain(self.groups),
            "by_split": {split: _plain(part.groups) for split, part in self.by_split.items()},
            "leaks": {group: asdict(count) for group, count in self.leaks.items()},
            "rows": {
                name: {question: _as_json(score) for question, score in scores.items()}
                for name, scores in self.rows.items()
            },
        }

    def table(self, group: str | None = None) -> pd.DataFrame:
        """A row per group and measure.

        Columns: scenario, measure, value, low, high, n, unscored, why.
        """
        import pandas as pd

        lines = [
            {
                "scenario": name,
                "measure": aggregate.name,
                "value": aggregate.value,
                "low": aggregate.low,
                "high": aggregate.high,
                "n": aggregate.n,
                "unscored": aggregate.unscored,
                "why": "; ".join(f"{n} × {reason}" for reason, n in aggregate.reasons.items()),
            }
            for name, aggregates in self.groups.items()
            if group in (None, name)
            for aggregate in aggregates.values()
        ]
        return pd.DataFrame(lines)


def read_rows(summary: Mapping[str, Any]) -> Rows:
    """The rows of a summary that was written by `Summary.as_dict`, for comparing two runs."""
    return {
        name: {question: _from_json(score) for question, score in scores.items()}
        for name, scores in summary["rows"].items()
    }


async def summarise(
    observations: Sequence[Observation],
    use: Instruments,
    *,
    seed: int = 0,
    progress: Callable[[], object] | None = None,
) -> Summary:
    """Take every measure of every observation; `progress` is called after each observation.

    Raises:
        InvalidInput: a question was observed twice.
    """
    taken = measures(repeats=use.judge.repeats if use.judge else 0)
    scenarios = {seen.question.id: str(seen.question.scenario) for seen in observations}
    clusters = {seen.question.id: seen.question.group for seen in observations}
    if len(scenarios) < len(observations):
        raise InvalidInput("observations", "a question was observed twice")
    rows: dict[str, dict[str, Score]] = {measure.name: {} for measure in taken}
    for name, scores in _retrieval(observations, use).items():
        rows[name].update(scores)
    gate = asyncio.Semaphore(AT_A_TIME)

    async def measure(seen: Observation) -> None:
        async with gate:
            for name, score in (await _score(seen, taken, use)).items():
                rows[name][seen.question.id] = score
        if progress:
            progress()

    async with asyncio.TaskGroup() as group:
        for seen in observations:
            group.create_task(measure(seen))
    splits = {seen.question.id: seen.question.split for seen in observations}
    return Summary(taken, scenarios, splits, clusters, rows, seed)


async def score_of(measure: Measure, seen: Observation, use: Instruments) -> Score:
    """What a measure says of one observation; Unscored where a check of it failed."""
    if measure.take is None:
        return Unscored("scored with all others at once")
    try:
        score = measure.take(seen, use)
        return await score if inspect.isawaitable(score) else score
    except CheckFailed as error:
        return Unscored(str(error))


async def _score(
    seen: Observation, taken: Sequence[Measure], use: Instruments
) -> Mapping[str, Score]:
    scored: dict[str, Score] = {}
    asked = {measure.name for measure in taken if measure.asked_of(seen)}
    for measure in taken:
        if measure.take and measure.name in asked:
            scored[measure.name] = await score_of(measure, seen, use)
    return scored | await _by_ragas(seen, asked, use) | await judged_scores(seen, asked, use)


async def _by_ragas(seen: Observation, asked: set[str], use: Instruments) -> dict[str, Score]:
    from evals.measures.ragas_adapter import answer_scores, context_scores  # takes 2 s

    scored: dict[str, Score] = {}
    if asked.issuperset(RAGAS_ANSWER):
        scored |= await answer_scores(seen, use.vectors)
    if asked.issuperset(RAGAS_CONTEXT):
        scored |= await context_scores(seen, use.golden)
    return scored


def _retrieval(observations: Sequence[Observation], use: Instruments) -> Rows:
    asked = [seen for seen in observations if seen.question.answerable]
    failures = {
        seen.question.id: seen.failure if seen.error else "the hits were not observed"
        for seen in asked
        if seen.ranking is None
    }
    runs = {
        seen.question.id: ranked_passages(seen.ranking.hits, _passages(seen, use))
        for seen in asked
        if seen.ranking is not None
    }
    return score_golden([seen.question for seen in asked], runs, failures=failures).rows


def _passages(seen: Observation, use: Instruments) -> Iterator[Passage]:
    return (each for each in use.golden.passages.values() if each.user == seen.question.user)


def _groups(
    taken: Sequence[Measure],
    rows: Rows,
    scenarios: Mapping[str, str],
    clusters: Mapping[str, str],
    seed: int,
) -> dict[str, dict[str, Aggregate]]:
    groups: dict[str, dict[str, Aggregate]] = {OVERALL: {}}
    groups |= {scenario: {} for scenario in dict.fromkeys(scenarios.values())}
    for measure in taken:
        for group, scores in _by_group(rows[measure.name], scenarios).items():
            for whole in _aggregates(measure, scores, clusters, seed):
                groups[group][whole.name] = whole
    return groups


def _aggregates(
    measure: Measure, scores: Mapping[str, Score], clusters: Mapping[str, str], seed: int
) -> Iterator[Aggregate]:
    for statistic in measure.statistics:
        yield aggregate(
            measure.name if statistic == "mean" else f"{measure.name}_{statistic}",
            scores,
            clusters=clusters,
            seed=seed,
            statistic=statistic,
            proportion=measure.proportion,
        )


def _by_group(
    scores: Mapping[str, Score], scenarios: Mapping[str, str]
) -> dict[str, dict[str, Score]]:
    groups: dict[str, dict[str, Score]] = {OVERALL: dict(scores)}
    for question, score in scores.items():
        groups.setdefault(scenarios[question], {})[question] = score
    return groups


def _plain(groups: Mapping[str, Mapping[str, Aggregate]]) -> dict[str, Any]:
    return {
        group: {name: asdict(whole) for name, whole in aggregates.items()}
        for group, aggregates in groups.items()
    }


def _as_json(score: Score) -> dict[str, float | str]:
    return {"value": score.value} if isinstance(score, Scored) else {"unscored": score.reason}


def _from_json(score: Mapping[str, Any]) -> Score:
    return Scored(score["value"]) if "value" in score else Unscored(score["unscored"])
