"""Pictures of what the service costs, drawn from the cost model's tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, PercentFormatter

from evals.cost.model import (
    BUDGETS,
    Budget,
    CostAssumptions,
    crossings,
    project,
)
from evals.results.numbers import count, dollars, share
from evals.results.plot_style import (
    BLACK,
    BLUE,
    GREY,
    MARKERS,
    ORANGE,
    PALETTE,
    VERMILION,
    house_style,
    label,
    panels,
)
from evals.simulation.prices import DAYS_PER_MONTH

FACTOR_NAMES = {
    "users": "users",
    "requests_per_user_day": "requests per user and day",
    "hit_rate": "hit rate",
    "input_tokens": "tokens in",
    "output_tokens": "tokens out",
    "input_price_usd": "price in, $ per million tokens",
    "output_price_usd": "price out, $ per million tokens",
}
_SHOWN_TIMES = {"input_price_usd": 1e6, "output_price_usd": 1e6}


def cost_against_users(
    cases: Mapping[str, CostAssumptions],
    users: Sequence[int] = (100, 1_000, 10_000, 100_000),
    budgets: Sequence[Budget] = BUDGETS,
    *,
    numbered: str | None = None,
) -> Figure:
    """Dollars a day against users for each named case, with its band and the budgets.

    Budgets of all users are lines, and a dot marks where a case crosses one within the picture,
    with its number of users for the case `numbered`, the first unless said; a budget per user
    grows with the users and is left to `crossings`.
    """
    shared = [budget for budget in budgets if not budget.per_user]
    many = np.unique(np.geomspace(min(users), max(users), 60).round().astype(int))
    with house_style():
        picture = panels(1, width=7.5, height=4.6)
        axes = picture.subplots()
        numbered = numbered or next(iter(cases))
        for colour, (name, case) in zip(PALETTE, cases.items(), strict=False):
            _draw_case(axes, project(case, many.tolist()), name, colour)
            reached = crossings(case, shared)
            reached = reached[reached["at"] <= max(users)]
            _mark_crossings(axes, reached, colour, numbered=name == numbered)
        axes.set_xscale("log")
        axes.set_yscale("log")
        for budget in shared:
            _draw_budget(axes, budget, at_users=min(users))
        label(axes, title="What a day costs", x="users (log scale)", y="$ a day (log scale)")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda users, _: count(users)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda usd, _: dollars(usd)))
        _month_axis(axes)
        axes.legend(loc="lower right", title="line: as assumed; shaded: plausible")
    return picture


def _draw_case(axes: Axes, table: pd.DataFrame, name: str, colour: str) -> None:
    axes.plot(table["users"], table["usd_day"], color=colour, label=name)
    axes.fill_between(
        table["users"], table["usd_day_low"], table["usd_day_high"], color=colour, alpha=0.2, lw=0
    )


def _mark_crossings(axes: Axes, reached: pd.DataFrame, colour: str, *, numbered: bool) -> None:
    """Dots; with their numbers of users for one case, as those of several would overlap."""
    for at, usd in reached[["at", "usd_day"]].to_numpy():
        axes.plot(at, usd, "o", color=colour, zorder=3)
        if numbered:
            axes.annotate(
                count(at), (at, usd), xytext=(5, -5), textcoords="offset points",
                ha="left", va="top", color=BLACK, fontsize=9,
            )  # fmt: skip


def _draw_budget(axes: Axes, budget: Budget, at_users: float) -> None:
    axes.axhline(budget.usd_day, color=GREY, linestyle="--", linewidth=1.2)
    axes.annotate(
        f"{budget.name}: {dollars(budget.usd_day)} a day", (at_users, budget.usd_day),
        xytext=(2, 3), textcoords="offset points", color=GREY, fontsize=9,
    )  # fmt: skip


def _month_axis(axes: Axes) -> None:
    months = axes.secondary_yaxis(
        "right",
        functions=(
            lambda day: np.asarray(day, dtype=np.float64) * DAYS_PER_MONTH,
            lambda month: np.asarray(month, dtype=np.float64) / DAYS_PER_MONTH,
        ),
    )
    months.set_ylabel(f"$ a month of {DAYS_PER_MONTH} days")
    months.yaxis.set_major_formatter(FuncFormatter(lambda usd, _: dollars(usd)))


def tornado_bars(table: pd.DataFrame) -> Figure:
    """Monthly cost as one factor at a time goes to its low and its high value, widest first.

    `table` has the columns of `model.tornado`.
    """
    rows = table.iloc[::-1].reset_index(drop=True)
    base = float(rows["usd_month"].iloc[0])
    with house_style():
        picture = panels(1, width=8.0, height=0.5 * len(rows) + 1.6)
        axes = picture.subplots()
        for side, colour in (("low", BLUE), ("high", ORANGE)):
            width = rows[f"usd_month_at_{side}"] - base
            axes.barh(rows.index, width, left=base, color=colour, height=0.6)
            shown = rows[side] * rows["factor"].map(_SHOWN_TIMES).fillna(1.0)
            for y, end, value in zip(rows.index, rows[f"usd_month_at_{side}"], shown, strict=True):
                _name_bar_end(axes, y, end, value, base)
        axes.axvline(base, color=GREY, linewidth=1.2)
        axes.set_yticks(rows.index, [FACTOR_NAMES[name] for name in rows["factor"]])
        axes.grid(visible=False, axis="y")
        axes.margins(x=0.16)
        title = f"What moves the bill ({dollars(base)} a month as assumed)"
        label(axes, title=title, x="$ a month", y="")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda usd, _: dollars(usd)))
        marks = [Line2D([], [], color=c, linewidth=8) for c in (BLUE, ORANGE)]
        names = ["factor at its low", "factor at its high"]
        picture.legend(marks, names, loc="outside lower center", ncols=2)
    return picture


def _name_bar_end(axes: Axes, y: float, end: float, value: float, base: float) -> None:
    """Write the factor's value beside the end of its bar, on the side away from the base."""
    right = end >= base
    axes.annotate(
        f"{value:,.3g}" if value < 1_000 else f"{value:,.0f}", (end, y),
        xytext=(4 if right else -4, 0), textcoords="offset points",
        ha="left" if right else "right", va="center", fontsize=9,
    )  # fmt: skip


def break_even_marks(table: pd.DataFrame) -> Figure:
    """Each level's break-even hit rate and, where given, the rate it achieves.

    Columns of `table`: level, break_even_hit_rate and optionally achieved_hit_rate.
    """
    rows = table.iloc[::-1].reset_index(drop=True)
    with house_style():
        picture = panels(1, width=7.5, height=0.6 * len(rows) + 1.9)
        axes = picture.subplots()
        _draw_marks(axes, rows, "break_even_hit_rate", "pays from here", GREY, "|")
        if "achieved_hit_rate" in rows:
            _draw_spans(axes, rows)
            _draw_marks(axes, rows, "achieved_hit_rate", "achieved", BLACK, MARKERS[0])
        axes.set_xlim(-0.03, 1.05)
        axes.set_yticks(rows.index, [f"{level} cache" for level in rows["level"]])
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.grid(visible=False, axis="y")
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))
        title = "Does a cache level pay for its memory?"
        label(axes, title=title, x="hit rate of the level's own lookups", y="")
        picture.legend(loc="outside lower center", ncols=4)
    return picture


def _draw_marks(
    axes: Axes, rows: pd.DataFrame, column: str, name: str, colour: str, marker: str
) -> None:
    axes.plot(
        rows[column], rows.index, marker, color=colour, label=name, markersize=9,
        markeredgewidth=2.5, zorder=3,
    )  # fmt: skip
    for y, rate in enumerate(rows[column]):
        axes.annotate(
            share(rate), (rate, y), xytext=(0, 9), textcoords="offset points",
            ha="center", color=colour, fontsize=9,
        )  # fmt: skip


def _draw_spans(axes: Axes, rows: pd.DataFrame) -> None:
    """Join the two marks: one colour where the level pays, another where it does not."""
    ends = rows[["break_even_hit_rate", "achieved_hit_rate"]].to_numpy(dtype=float)
    named: set[str] = set()
    for y, (needed, achieved) in enumerate(ends):
        name, colour = ("pays", BLUE) if achieved >= needed else ("does not pay", VERMILION)
        axes.plot(
            [needed, achieved], [y, y], color=colour, linewidth=3, alpha=0.5,
            label=None if name in named else name,
        )  # fmt: skip
        named.add(name)
