"""Budgets for each class of questions: chosen on its dev questions, confirmed on its test ones.

A class of questions may have two budgets of its own: tokens of the context, and of the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from evals.budgets.choice import GUARDED, Choice, Objective, choose, confirmed
from evals.budgets.grid import PROFILES, BudgetSetting, grid
from evals.budgets.outcomes import Difference, Outcomes
from evals.budgets.study import opened
from evals.budgets.wording import cost_change, points
from evals.datasets.golden import GoldenQuestion
from evals.datasets.golden_checks import load_checked
from evals.project import project_settings
from evals.results.table import text_table
from rag_core.domain import QuestionClass, classify, normalise

TRIED = {axis: PROFILES["full"][axis] for axis in ("context_tokens", "output_tokens")}


@dataclass(frozen=True, eq=False, kw_only=True)
class ClassBudgetsStudy:
    """Of one class: dev, what it chose, and test; `choice` is None where dev has no question."""

    dev: Outcomes
    test: Outcomes
    choice: Choice | None

    @property
    def differences(self) -> Mapping[str, Difference]:
        """Of the choice on test, by guarded measure; empty where there is nothing to compare."""
        if self.choice is None or not self.choice.changes or not self.test.questions:
            return {}
        chosen = self.choice.setting
        return {measure: self.test.difference(measure, chosen) for measure in GUARDED}

    @property
    def shown(self) -> bool:
        """Whether test shows that the choice loses less than the tolerance."""
        if self.choice is None or not self.differences:
            return False
        tolerance = self.choice.objective.tolerance
        found = {confirmed(each, tolerance) for each in self.differences.values()}
        return found == {"confirmed"}


async def study_classes(
    golden_dir: Path, *, max_usd: float = 1.0, seed: int = 0
) -> Mapping[QuestionClass, ClassBudgetsStudy]:
    """Every class, by what the rules say of the questions; an LLM may cost `max_usd` dollars.

    Raises what `evals.budgets.study.study` raises.
    """
    settings = project_settings()
    current = BudgetSetting.of(settings)
    tried = grid(TRIED, current, settings)
    golden = await asyncio.to_thread(load_checked, golden_dir)
    async with opened(golden, settings, tried, max_usd) as bench:
        await bench.prepare([current.chunking])
        dev = await bench.run("dev", tried, seed)
        choices = {kind: _chosen(dev.where(_is_of(kind))) for kind in QuestionClass}
        chosen = [choice.setting for choice in choices.values() if choice]
        test = await bench.run("test", list(dict.fromkeys([current, *chosen])), seed)
    return {
        kind: ClassBudgetsStudy(
            dev=dev.where(_is_of(kind)), test=test.where(_is_of(kind)), choice=choice
        )
        for kind, choice in choices.items()
    }


def _chosen(dev: Outcomes) -> Choice | None:
    return choose(dev, Objective()) if dev.questions else None


def _is_of(kind: QuestionClass) -> Callable[[GoldenQuestion], bool]:
    return lambda question: classify(normalise(question.question)) is kind


def as_text(studies: Mapping[QuestionClass, ClassBudgetsStudy]) -> str:
    """A table, a row of each class."""
    columns = ["class by rules", "n dev", "n test", "chosen on dev", *GUARDED, "dollars", "on test"]
    said = "budgets of a class beside those of every question; paired differences on test, 95 %"
    return f"{said}\n{text_table(columns, [_row(kind, each) for kind, each in studies.items()])}"


def _row(kind: QuestionClass, study: ClassBudgetsStudy) -> list[str]:
    n = [str(len(study.dev.questions)), str(len(study.test.questions))]
    if study.choice is None or not study.test.questions:
        return [kind, *n, "–", *("–" for _ in GUARDED), "–", f"no evidence, n = {n[1]}"]
    chosen = study.choice.setting.beside(study.choice.current)
    if not study.differences:
        return [kind, *n, chosen, *("–" for _ in GUARDED), "–", "nothing to confirm"]
    return [
        *(kind, *n, chosen),
        *map(points, study.differences.values()),
        cost_change(study.test, study.choice.setting),
        f"loses less than {100 * study.choice.objective.tolerance:g} points"
        if study.shown
        else "not shown",
    ]


def as_record(studies: Mapping[QuestionClass, ClassBudgetsStudy]) -> dict[str, Any]:
    """What was chosen, and what test says of it, by class, for JSON."""
    return {kind: _record(study) for kind, study in studies.items()}


def _record(study: ClassBudgetsStudy) -> dict[str, Any]:
    return {
        "n_dev": len(study.dev.questions),
        "n_test": len(study.test.questions),
        "chosen": str(study.choice.setting) if study.choice else None,
        "differences": {
            name: asdict(replace(each, low=each.at_least))
            for name, each in study.differences.items()
        },
        "shown": study.shown,
    }
