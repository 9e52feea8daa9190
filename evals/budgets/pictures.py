"""Pictures of a study of budgets, saved beside its result."""

from __future__ import annotations

from pathlib import Path

from evals.budgets.grid import BudgetSetting
from evals.budgets.outcomes import TOKENS_IN
from evals.budgets.plots import axis_curves, quality_against_cost
from evals.budgets.study import BudgetStudy
from evals.results.pictures import save
from evals.results.result import Picture

_READ = (
    "A mark is a setting, on dev questions. Bars are 95 % intervals over questions, for settings "
    "that none as cheap is better than and for those with a name; a light blue one is dominated, "
    "but by no more than luck may give."
)


def draw_front(study: BudgetStudy, out_path: Path) -> Picture:
    """Facts against dollars, with the front, the current and the chosen setting."""
    figure = quality_against_cost(study.dev, named(study))
    return save(figure, out_path, "front", "What does a dollar buy?", _READ)


def draw_tokens(study: BudgetStudy, out_path: Path) -> Picture:
    """The same against tokens in, which need no price."""
    figure = quality_against_cost(study.dev, named(study), cost=TOKENS_IN)
    return save(figure, out_path, "tokens", "What does a token buy?", _READ)


def draw_curves(study: BudgetStudy, out_path: Path) -> Picture:
    """Each budget by itself, the others at their current values."""
    caption = (
        "Points are of facts, question by question against the current setting; bars are 95 % "
        "intervals. Where a bar reaches 0, the change may be nothing."
    )
    return save(axis_curves(study.dev), out_path, "curves", "What does each budget do?", caption)


def named(study: BudgetStudy) -> dict[str, BudgetSetting]:
    """The settings that a picture names."""
    if not study.choice.changes:
        return {"current, and chosen": study.choice.current}
    return {"current": study.choice.current, "chosen on dev": study.choice.setting}
