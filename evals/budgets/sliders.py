"""Sliders over the settings that were swept: quality, dollars and milliseconds at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ipywidgets as widgets
from matplotlib.figure import Figure

from evals.budgets.env_file import ENV_FILE, write_env
from evals.budgets.grid import AXES, BudgetSetting, shown
from evals.budgets.outcomes import FACTS_STATED
from evals.budgets.plots import setting_beside_current
from evals.budgets.study import BudgetStudy
from evals.budgets.wording import cost_change, points
from evals.results.sliders import Live, choice

WRITE = "write"


def budget_sliders(study: BudgetStudy, out_path: Path) -> Live:
    """A slider a budget, over its swept values; a switch writes what is set to `budgets.env`."""
    outcomes = study.dev
    values = {axis: sorted({getattr(each, axis) for each in outcomes.settings}) for axis in AXES}
    varied = {axis: of for axis, of in values.items() if len(of) > 1}

    def controls() -> dict[str, widgets.ValueWidget]:
        button = widgets.ToggleButton(value=False, description=f"write {ENV_FILE}")
        return {**_sliders(varied, study.recommended), WRITE: button}

    def draw(*, write: bool, **at: int) -> Figure:
        setting = study.choice.current
        for axis, place in at.items():
            setting = setting.with_value(axis, varied[axis][place])
        figure = setting_beside_current(outcomes, setting)
        written = f"\nwritten to {write_env(study, setting, out_path).name}" if write else ""
        figure.suptitle(_said(study, setting) + written, fontsize=10)
        return figure

    return Live(controls, draw)


def _sliders(
    varied: Mapping[str, list[Any]], start: BudgetSetting
) -> dict[str, widgets.ValueWidget]:
    """A slider an axis, over the places of its values."""
    return {
        axis: choice(
            axis.replace("_", " "),
            values.index(getattr(start, axis)),
            {shown(value): place for place, value in enumerate(values)},
        )
        for axis, values in varied.items()
    }


def _said(study: BudgetStudy, setting: BudgetSetting) -> str:
    if setting == study.choice.current:
        return "the current budgets"
    place: Any = study.dev.place(setting)
    if not study.dev.generated[place]:
        return "no answers were generated at this setting"
    stated = points(study.dev.difference(FACTS_STATED, setting))
    return f"costs {cost_change(study.dev, setting)}; facts stated {stated}"
