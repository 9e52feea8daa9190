"""One picture of a week: dollars, provenance and latency."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evals.outages.figures import daily_usd, seen_outages
from evals.outages.replay import Week
from evals.results.numbers import dollars, share
from evals.results.outcomes import ERROR, OUTCOMES
from evals.results.pictures import WIDTH
from evals.results.plot_style import (
    BLUE,
    GREY,
    OUTCOME_COLOURS,
    VERMILION,
    house_style,
    label,
    panels,
)
from evals.simulation.traffic import DAY_S, Floats

STEP_S = 3_600.0
"""An hour: what a point of the lower panels stands for."""
_LEAST = 100
"""Requests of an hour below which it has no p99."""
_NEAR = 3.0
"""A cap above so many times the dearest day is only named: drawn, it would hide the days."""
_OUTAGE = "#D9D9D9"
_ABOVE = 1.1
"""Room above the whole, for outages to be seen."""


def week_picture(week: Week) -> Figure:
    """Dollars a day, provenance by the hour and latency by the hour, outages shaded."""
    with house_style():
        figure = panels(1, width=WIDTH, height=9.0)
        money, provenance, latency = figure.subplots(3, 1)
        _money(money, week)
        _provenance(provenance, week)
        _latency(latency, week)
        for axes in (money, provenance, latency):
            _shade(axes, week)
    return figure


def _money(axes: Axes, week: Week) -> None:
    spent, saved = daily_usd(week)
    middle = np.arange(len(spent)) + 0.5
    axes.bar(middle, spent, 0.6, color=GREY, label="spent", zorder=3)
    axes.bar(middle, saved, 0.6, bottom=spent, color="white", edgecolor=GREY, hatch="///",
             label="saved by caches", zorder=3)  # fmt: skip
    highest = max(spent)
    if week.cap_usd <= _NEAR * highest:
        axes.axhline(week.cap_usd, color=VERMILION, ls="--", label="cap of a day")
    used = share(highest / week.cap_usd) if week.cap_usd else "all"
    title = f"Dearest day {dollars(highest)}: {used} of its cap of {dollars(week.cap_usd)}"
    # Two dollar signs would make a formula of what stands between.
    label(axes, title=title.replace("$", r"\$"), x="", y="US dollars a day")
    axes.set_ylim(0, 1.15 * max(a + b for a, b in zip(spent, saved, strict=True)))
    _legend(axes)


def _provenance(axes: Axes, week: Week) -> None:
    hour = _hours(week)
    hours = int(hour.max()) + 1
    seen = np.array([OUTCOMES.index(str(each.provenance or ERROR)) for each in week.served])
    counts = np.zeros((len(OUTCOMES), hours))
    np.add.at(counts, (seen, hour), 1)
    shares = counts / np.maximum(1, counts.sum(axis=0))
    edges = np.arange(hours + 1) * STEP_S / DAY_S
    below = np.zeros(hours)
    for name, row in zip(OUTCOMES, shares, strict=True):
        if row.any():
            axes.stairs(below + row, edges, baseline=below, fill=True, color=OUTCOME_COLOURS[name],
                        label=name)  # fmt: skip
            below = below + row
    label(axes, title="What requests got, by the hour", x="", y="share of requests")
    axes.set_ylim(0, _ABOVE)
    _legend(axes)


def _latency(axes: Axes, week: Week) -> None:
    hour = _hours(week)
    took_s = np.array([each.took_s for each in week.served])
    by_hour = [took_s[hour == each] for each in range(int(hour.max()) + 1)]
    middle = (np.arange(len(by_hour)) + 0.5) * STEP_S / DAY_S
    axes.plot(middle, _percentiles(by_hour, 50, 1), color=BLUE, label="p50")
    axes.plot(middle, _percentiles(by_hour, 99, _LEAST), color=VERMILION, ls="--", label="p99")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    label(axes, title="Latency, by the hour (simulated)", x="", y="seconds (log)")
    _legend(axes)
    axes.set_ylim(top=3 * np.nanmax(_percentiles(by_hour, 99, 1)))


def _legend(axes: Axes) -> None:
    """Below the panel, where it hides nothing."""
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=6)


def _percentiles(by_hour: Sequence[Floats], percent: float, least: int) -> list[float]:
    """Of each hour with `least` requests; others are left out of the line."""
    return [
        float(np.percentile(took, percent)) if len(took) >= least else float("nan")
        for took in by_hour
    ]


def _shade(axes: Axes, week: Week) -> None:
    days = len(daily_usd(week)[0])
    for number, (outage, _) in enumerate(seen_outages(week), start=1):
        start, end = outage.start_s / DAY_S, outage.end_s / DAY_S
        axes.axvspan(start, end, color=_OUTAGE, zorder=0)
        axes.annotate(
            f"outage {number}",
            (start, 1),
            xycoords=("data", "axes fraction"),
            ha="right",
            va="top",
            fontsize=8,
        )
    axes.set_xlim(0, days)
    axes.set_xticks(np.arange(days) + 0.5, [f"day {day + 1}" for day in range(days)])
    axes.grid(visible=False, axis="x")


def _hours(week: Week) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([each.time_s // STEP_S for each in week.served], dtype=np.int64)
