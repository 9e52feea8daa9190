"""The picture of what cheaper budgets of each class save, and cost."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes

from evals.budgets.by_class import TOLERANCE, ClassBudgetsStudy
from evals.budgets.choice import GUARDED
from evals.budgets.class_verdicts import Studies, verdict
from evals.results.pictures import WIDTH, save
from evals.results.plot_style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    VERMILION,
    house_style,
    label,
    panels,
)
from evals.results.result import Picture
from evals.stats.clustered import FEW

_MARKS = dict(zip(GUARDED, ((ORANGE, "D", -0.14), (BLUE, "o", 0.14)), strict=True))
_LEAST_SPAN_POINTS = 6.0
"""To the left of 0: no change shall look large."""


def draw_class_budgets(studies: Studies, out_path: Path) -> Picture:
    """Facts lost and dollars saved, a row a class; one that was not measured says so."""
    with house_style():
        figure = panels(1, width=WIDTH, height=1.6 + 0.62 * len(studies))
        facts, dollars = figure.subplots(1, 2, sharey=True, width_ratios=(5, 3))
        for place, study in enumerate(studies.values()):
            _draw_facts(facts, study, place)
            _draw_dollars(dollars, study, place)
        _frame(facts, studies)
        dollars.axvline(0, color=GREY, lw=0.8)
        label(facts, title="facts, change on test", x="points", y="")
        label(dollars, title="dollars saved", x="%", y="")
    caption = (
        "Each question is compared with itself at the budgets of every question. Bars are 95 % "
        f"intervals, none below {FEW} questions; where none changed, as wide as they leave it. A "
        f"class is shown only where both bars lie right of the dashed line, "
        f"{100 * TOLERANCE:g} points lost; n are test questions with facts."
    )
    title = "What would cheaper budgets of a class save, and cost?"
    return save(figure, out_path, "class-budgets", title, caption)


def _frame(axis: Axes, studies: Studies) -> None:
    axis.axvline(0, color=GREY, lw=0.8)
    axis.axvline(-100 * TOLERANCE, color=VERMILION, ls="--", lw=1.4)
    for name, (colour, marker, _) in _MARKS.items():
        axis.plot([], [], marker, color=colour, label=name)
    names = [f"{kind.in_words}\n{verdict(study)}" for kind, study in studies.items()]
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.5, -0.5)
    low, high = axis.get_xlim()
    axis.set_xlim(min(low, -_LEAST_SPAN_POINTS), max(high, _LEAST_SPAN_POINTS / 3))
    axis.grid(visible=False, axis="y")
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=2)


def _draw_facts(axis: Axes, study: ClassBudgetsStudy, place: int) -> None:
    for name, difference in study.differences.items():
        if not difference.n:
            continue
        colour, marker, aside = _MARKS[name]
        if difference.n >= FEW:
            ends = [100 * difference.at_least, 100 * difference.high]
            axis.plot(ends, [place + aside] * 2, color=colour, lw=5, alpha=0.3)
        axis.plot([100 * difference.value], [place + aside], marker, color=colour, ms=6)


def _draw_dollars(axis: Axes, study: ClassBudgetsStudy, place: int) -> None:
    if study.setting is None or not study.differences:
        return
    ratio = study.test.cost_ratio(study.setting)
    if len(study.test.questions) >= FEW:
        ends = [100 * (1 - ratio.high), 100 * (1 - ratio.low)]
        axis.plot(ends, [place, place], color=GREEN, lw=5, alpha=0.3)
    axis.plot([100 * (1 - ratio.value)], [place], "^", color=GREEN, ms=7)
    axis.grid(visible=False, axis="y")
