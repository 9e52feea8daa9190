"""Pictures of a sweep, narrow enough to be read on a phone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from evals.budgets.grid import AXES, BudgetSetting, shown
from evals.budgets.outcomes import (
    FACTS_IN_CONTEXT,
    FACTS_STATED,
    MS,
    QUALITY,
    TOKENS_IN,
    USD,
    Outcomes,
)
from evals.budgets.pareto import Standing, standings
from evals.budgets.resampling import Means
from evals.results.numbers import dollars
from evals.results.plot_style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    MARKERS,
    ORANGE,
    SKY,
    VERMILION,
    house_style,
    label,
    panels,
)
from evals.stats.intervals import Floats

WIDTH = 5.4
"""Inches: on a phone of 390 pixels, letters of 10 points are 10 pixels high."""

_LEAST_SPAN_POINTS = 2.0
"""Above and below 0: no change shall look large."""

COSTS: Mapping[str, tuple[str, float]] = {
    USD: ("$ per 1,000 questions", 1000.0),
    TOKENS_IN: ("tokens in, a question", 1.0),
}
_LOOKS: Mapping[Standing, tuple[str, str, float]] = {
    "dominated": ("cheaper ones are better", "#B9B9B9", 0.7),
    "alike": ("no worse, as far as can be told", SKY, 0.8),
    "front": ("none as cheap is better", BLUE, 1.0),
}


def quality_against_cost(
    outcomes: Outcomes, named: Mapping[str, BudgetSetting], *, cost: str = USD
) -> Figure:
    """A panel each for facts stated and facts in context, a mark a setting, against `cost`.

    Intervals are drawn for the front and for the settings `named`; shapes tell chunkings apart.
    """
    with house_style():
        figure = panels(1, rows=2, width=WIDTH, height=3.3)
        rows = figure.subplots(2, 1, sharex=True)
        for axis, quality in zip(rows, (FACTS_STATED, FACTS_IN_CONTEXT), strict=True):
            _draw_settings(axis, outcomes, quality, cost)
            _draw_named(axis, outcomes, quality, cost, named)
            axis.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
            label(axis, title=f"{quality}, share", x="", y="")
        rows[1].set_xlabel(COSTS[cost][0])
        if cost == USD:
            rows[1].xaxis.set_major_formatter(FuncFormatter(lambda usd, _: dollars(usd)))
            rows[1].xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
        figure.legend(handles=_legend(outcomes, named), loc="outside lower left", ncols=2)
    return figure


def axis_curves(outcomes: Outcomes) -> Figure:
    """A row for each budget with several values: facts lost or won, and dollars, each with 95 %.

    The other budgets stay at their current values.
    """
    varied = {axis: places for axis in AXES if len(places := along(outcomes, axis)) > 1}
    with house_style():
        figure = panels(1, rows=max(1, len(varied)), width=WIDTH, height=2.0)
        grid = figure.subplots(max(1, len(varied)), 2, squeeze=False, width_ratios=(5, 4))
        for row, (axis, places) in zip(grid, varied.items(), strict=False):
            _draw_axis(row, outcomes, axis, places)
        handles = [
            Line2D([], [], color=colour, marker=marker, label=name)
            for name, colour, marker in _CURVES
        ]
        handles.append(Line2D([], [], color=GREY, lw=0.8, ls=":", label="current"))
        figure.legend(handles=handles, loc="outside lower left", ncols=3)
    return figure


def setting_beside_current(outcomes: Outcomes, setting: BudgetSetting) -> Figure:
    """Quality, dollars and milliseconds of one setting beside those of the current one."""
    with house_style():
        figure = panels(3, width=3.0, height=2.8)
        quality, usd, ms = figure.subplots(1, 3, width_ratios=(3, 1.4, 1.4))
        _draw_bars(quality, outcomes, setting, QUALITY, 1.0)
        quality.set_ylim(0, 1.02)
        quality.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        _draw_bars(usd, outcomes, setting, (USD,), 1000.0)
        _draw_bars(ms, outcomes, setting, (MS,), 1.0)
        label(quality, title="quality", x="", y="")
        label(usd, title="$ per 1,000", x="", y="")
        label(ms, title="milliseconds", x="", y="")
        handles = [
            Line2D([], [], color=colour, marker=marker, ls="", label=name)
            for name, colour, marker in (("current", ORANGE, "D"), ("as set here", BLUE, "o"))
        ]
        figure.legend(handles=handles, loc="outside lower left", ncols=2)
    return figure


def along(outcomes: Outcomes, axis: str) -> list[int]:
    """Indices of the settings that differ from the current one in `axis` at most, by its value."""
    places = [
        place
        for place, setting in enumerate(outcomes.settings)
        if setting.differs_in(outcomes.current) in ([], [axis])
    ]
    return sorted(places, key=lambda place: getattr(outcomes.settings[place], axis))


_CURVES = ((FACTS_IN_CONTEXT, BLUE, "o"), (FACTS_STATED, VERMILION, "s"))


def _draw_settings(axis: Axes, outcomes: Outcomes, quality: str, cost: str) -> None:
    spent, worth = outcomes.means(cost), outcomes.means(quality)
    times = COSTS[cost][1]
    found = standings(outcomes, quality, cost)
    shapes = _shapes(outcomes)
    for standing, (_, colour, alpha) in _LOOKS.items():
        for place, setting in enumerate(outcomes.settings):
            if found[place] == standing:
                axis.plot(
                    times * spent.value[place], worth.value[place], shapes[setting.chunking],
                    color=colour, alpha=alpha, ms=5, mew=0,
                )  # fmt: skip
    _draw_front(axis, spent, worth, [n for n, each in enumerate(found) if each == "front"], times)


def _draw_front(
    axis: Axes, spent: Means, worth: Means, places: Sequence[int], times: float
) -> None:
    front = sorted(places, key=lambda place: (spent.value[place], worth.value[place]))
    x, y = times * spent.value[front], worth.value[front]
    axis.plot(x, y, color=BLUE, lw=1, alpha=0.5)
    axis.errorbar(
        x, y, yerr=_arms(worth, front, 1.0), fmt="none", ecolor=BLUE, elinewidth=1, alpha=0.35
    )


def _draw_named(
    axis: Axes, outcomes: Outcomes, quality: str, cost: str, named: Mapping[str, BudgetSetting]
) -> None:
    spent, worth, times = outcomes.means(cost), outcomes.means(quality), COSTS[cost][1]
    for (name, setting), (colour, marker) in zip(named.items(), _NAMED, strict=False):
        place = [outcomes.place(setting)]
        axis.errorbar(
            times * spent.value[place], worth.value[place],
            xerr=_arms(spent, place, times), yerr=_arms(worth, place, 1.0),
            color=colour, marker=marker, ms=9, mec=BLACK, mew=0.8, elinewidth=1.6, zorder=4,
            label=name,
        )  # fmt: skip


def _draw_axis(row: Sequence[Axes], outcomes: Outcomes, axis: str, places: Sequence[int]) -> None:
    """Two panels over the values of one budget."""
    names = [shown(getattr(outcomes.settings[place], axis)) for place in places]
    _draw_differences(row[0], outcomes, places)
    _draw_dollars(row[1], outcomes, places)
    for panel in row:
        panel.set_xticks(range(len(names)), names, fontsize=8.5)
        panel.axvline(places.index(0), color=GREY, lw=0.8, ls=":")
        panel.set_xlim(-0.4, len(names) - 0.6)
    label(row[0], title=f"{axis.replace('_', ' ')}: facts, points", x="", y="")
    label(row[1], title="$ per 1,000", x="", y="")


def _draw_differences(panel: Axes, outcomes: Outcomes, places: Sequence[int]) -> None:
    panel.axhline(0, color=GREY, lw=0.8)
    for number, (measure, colour, marker) in enumerate(_CURVES):
        means = outcomes.differences(measure)
        at = np.arange(len(places)) + (number - 0.5) * 0.12
        panel.errorbar(
            at, 100 * means.value[list(places)], yerr=_arms(means, places, 100.0),
            color=colour, marker=marker, capsize=2, elinewidth=1.2, lw=1.2,
        )  # fmt: skip
    low, high = panel.get_ylim()
    panel.set_ylim(min(low, -_LEAST_SPAN_POINTS), max(high, _LEAST_SPAN_POINTS))


def _draw_dollars(panel: Axes, outcomes: Outcomes, places: Sequence[int]) -> None:
    means = outcomes.means(USD)
    panel.errorbar(
        range(len(places)), 1000 * means.value[list(places)], yerr=_arms(means, places, 1000.0),
        color=GREEN, marker="^", capsize=2, elinewidth=1.2, lw=1.2,
    )  # fmt: skip
    panel.set_ylim(bottom=0)


def _draw_bars(
    panel: Axes, outcomes: Outcomes, setting: BudgetSetting, measures: Sequence[str], times: float
) -> None:
    for place, measure in enumerate(measures):
        means = outcomes.means(measure)
        for offset, which, colour, marker in (
            (-0.1, outcomes.current, ORANGE, "D"),
            (0.1, setting, BLUE, "o"),
        ):
            at = [outcomes.place(which)]
            panel.errorbar(
                [place + offset], times * means.value[at], yerr=_arms(means, at, times),
                color=colour, marker=marker, ms=7, capsize=3, ls="",
            )  # fmt: skip
    panel.set_xticks(range(len(measures)), [m.replace(" ", "\n", 1) for m in measures])
    panel.set_xlim(-0.5, len(measures) - 0.5)
    panel.set_ylim(bottom=0)


def _legend(outcomes: Outcomes, named: Mapping[str, BudgetSetting]) -> list[Line2D]:
    marks = [
        Line2D([], [], color=colour, marker=marker, mec=BLACK, mew=0.8, ms=8, ls="", label=name)
        for name, (colour, marker) in zip(named, _NAMED, strict=False)
    ]
    marks += [
        Line2D([], [], color=colour, marker="o", ls="", label=text)
        for text, colour, _ in reversed(list(_LOOKS.values()))
    ]
    shapes = _shapes(outcomes)
    if len(shapes) > 1:
        marks += [
            Line2D([], [], color=GREY, marker=marker, ls="", label=f"chunks of {chunking}")
            for chunking, marker in shapes.items()
        ]
    return marks


_NAMED = ((ORANGE, "D"), (GREEN, "*"))
"""Of the current setting, and of the chosen one."""


def _shapes(outcomes: Outcomes) -> dict[object, str]:
    chunkings = dict.fromkeys(setting.chunking for setting in outcomes.settings)
    return dict(zip(chunkings, MARKERS, strict=False))


def _arms(means: Means, places: Sequence[int], times: float) -> Floats:
    """Lengths below and above the means; float64[2, n]."""
    at = list(places)
    value, low, high = means.value[at], means.low[at], means.high[at]
    return np.asarray(times * np.stack([value - low, high - value]), dtype=np.float64)
