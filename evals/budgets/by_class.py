"""Budgets for each class of questions: chosen on its dev questions, confirmed on its test ones.

A class of questions may have two budgets of its own: tokens of the context, and of the answer. A
class that the settings give budgets is asked about these, and nothing is chosen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from evals.budgets.choice import GUARDED, Choice, Objective, choose, confirmed
from evals.budgets.grid import PROFILES, Axes, BudgetSetting, grid
from evals.budgets.outcomes import FACTS_STATED, Difference, Outcomes
from evals.budgets.study import opened
from evals.datasets.golden import GoldenQuestion
from evals.datasets.golden_checks import load_checked
from evals.project import project_settings
from evals.stats.clustered import FEW
from rag_core.domain import QuestionClass, SearchMethod, classify, normalise
from rag_core.settings import Settings
from rag_core.settings_classes import usual_budgets, wanted_budgets

TRIED: Mapping[str, Axes] = {
    "smoke": {"context_tokens": (600,), "output_tokens": (100,)},
    "full": {axis: PROFILES["full"][axis] for axis in ("context_tokens", "output_tokens")},
}
"""Values tried beside the current ones, by profile."""

TOLERANCE = Objective().tolerance
"""Share of the facts that counts as no loss."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ClassBudgetsStudy:
    """Of one class: dev, what it chose, and test; `choice` is None where nothing was chosen.

    `wanted` is what the settings give the class, and then what test is asked about.
    """

    dev: Outcomes
    test: Outcomes
    choice: Choice | None
    wanted: BudgetSetting | None = None

    @property
    def setting(self) -> BudgetSetting | None:
        """What test is asked about; None where there is nothing to ask about."""
        return self.wanted or (self.choice.setting if self.choice else None)

    @property
    def differences(self) -> Mapping[str, Difference]:
        """Of that setting on test, by guarded measure; empty where there is nothing to compare."""
        if self.setting in (None, self.test.current) or not self.test.questions:
            return {}
        return {measure: self.test.difference(measure, self.setting) for measure in GUARDED}

    @property
    def n(self) -> int:
        """Number of test questions with facts that were compared."""
        return self.differences[FACTS_STATED].n if self.differences else 0

    @property
    def shown(self) -> bool:
        """Whether test shows that the setting loses less than the tolerance.

        Fewer than `FEW` questions show nothing: their interval is too narrow.
        """
        if self.n < FEW:
            return False
        found = {confirmed(each, TOLERANCE) for each in self.differences.values()}
        return found == {"confirmed"}


async def study_classes(
    golden_dir: Path,
    *,
    profile: str = "full",
    stored: bool = False,
    max_usd: float = 1.0,
    seed: int = 0,
) -> Mapping[QuestionClass, ClassBudgetsStudy]:
    """Every class, by what the rules say of the questions; an LLM may cost `max_usd` dollars.

    With `stored`, the store holds the golden notes and is searched, as deployed; else they are cut
    anew. In the profile smoke no LLM is asked: with one, the mapping is empty.

    Raises what `evals.budgets.study.study` raises.
    """
    settings = project_settings()
    if profile == "smoke" and usual_budgets(settings).providers != ("extractive",):
        return {}
    current = BudgetSetting.of(settings)
    if stored:  # how it is searched is then the same for all
        current = replace(current, search_method=SearchMethod.EXACT)
    tried = grid(TRIED[profile], current, settings)
    wanted = wanted_settings(settings, current)
    golden = await asyncio.to_thread(load_checked, golden_dir)
    async with opened(golden, settings, tried, max_usd) as bench:
        if stored:
            bench.stages.search_in(current.chunking, bench.application.retriever)
        else:
            await bench.prepare([current.chunking])
        dev = await bench.run("dev", tried, seed)
        choices = {kind: _chosen(dev.where(_is_of(kind))) for kind in QuestionClass}
        chosen = [choice.setting for choice in choices.values() if choice]
        asked = list(dict.fromkeys([current, *chosen, *wanted.values()]))
        test = await bench.run("test", asked, seed)
    return {
        kind: ClassBudgetsStudy(
            dev=dev.where(_is_of(kind)),
            test=test.where(_is_of(kind)),
            choice=choice,
            wanted=wanted.get(kind),
        )
        for kind, choice in choices.items()
    }


def wanted_settings(
    settings: Settings, current: BudgetSetting
) -> dict[QuestionClass, BudgetSetting]:
    """What the settings give each class, where that is other tokens and not other providers.

    Everything here is written by those who write for every question.
    """
    usual = usual_budgets(settings)
    return {
        kind: replace(
            current,
            context_tokens=each.context_tokens or current.context_tokens,
            output_tokens=each.output_tokens or current.output_tokens,
        )
        for kind, each in wanted_budgets(settings).items()
        if each.providers in ((), usual.providers)
    }


def _chosen(dev: Outcomes) -> Choice | None:
    return choose(dev, Objective()) if dev.questions and any(dev.generated) else None


def _is_of(kind: QuestionClass) -> Callable[[GoldenQuestion], bool]:
    return lambda question: classify(normalise(question.question)) is kind
