"""Pictures of what cache settings do, drawn from the simulator's tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator, PercentFormatter

from evals.results.numbers import duration
from evals.results.plot_style import (
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
from evals.simulation.simulator import Policy

POLICY_COLOURS = {
    Policy.TTL_ONLY: VERMILION,
    Policy.FLUSH_ON_CHANGE: ORANGE,
    Policy.EVIDENCE_REVALIDATION: BLUE,
}
POLICY_NAMES = {
    Policy.TTL_ONLY: "TTL only",
    Policy.FLUSH_ON_CHANGE: "flush on change",
    Policy.EVIDENCE_REVALIDATION: "evidence revalidation",
}
# Lines often coincide: a larger hollow mark and a thinner dash keep each to be seen.
_POLICY_LINES = {
    Policy.TTL_ONLY: ("o", "-", 9),
    Policy.FLUSH_ON_CHANGE: ("s", "--", 5),
    Policy.EVIDENCE_REVALIDATION: ("^", "-.", 5),
}
_TTL_AXIS = "answer TTL (log scale)"
_STALENESS_AXIS = "epoch believed for (RAG_MAX_STALENESS_S)"
_CLOSEST = 2.2
"""Of two TTLs nearer than this factor only one has room for its name."""


def hit_rates_against_ttl(table: pd.DataFrame) -> Figure:
    """Hit rate, valid hit rate and stale share of hits, a line per policy.

    `table` has the columns of `policy_bands`, or of a `sweep` over both, which has no bands.
    """
    figures = (
        ("hit_rate", "no LLM call", "share of requests"),
        ("valid_hit_rate", "… and rightly so", "share of requests"),
        ("stale_share_of_hits", "on changed notes", "share of hits"),
    )
    picture = _against_ttl(table, figures, percent=True)
    # Staleness is worth seeing long before it reaches the height of a hit rate.
    highest = table.get("stale_share_of_hits_high", table["stale_share_of_hits"])
    top = min(1.02, max(0.05, 1.1 * highest.max()))
    picture.axes[-1].set_ylim(-0.03 * top, top)
    return picture


def load_against_ttl(table: pd.DataFrame) -> Figure:
    """LLM calls per 1,000 requests and peak memory of the answers, a line per policy.

    `table` has the columns of `policy_bands`.
    """
    figures = (
        ("calls_per_1000", "LLM calls", "calls per 1,000 requests"),
        ("mb_per_1000_users", "answers in Redis, peak", "MB per 1,000 users"),
    )
    return _against_ttl(table, figures, percent=False)


def closed_form_agreement(table: pd.DataFrame) -> Figure:
    """Closed form as a line, simulator and, where measured, real caches as points.

    `table` has columns ttl_s, figure, closed_form, simulated and optionally `replayed`, which is
    empty for what the real caches do not do.
    """
    names = list(dict.fromkeys(table["figure"]))
    columns = min(len(names), 2)
    with house_style():
        picture = panels(columns, rows=-(-len(names) // columns))
        grid = picture.subplots(-(-len(names) // columns), columns, squeeze=False)
        for axes, name in zip(grid.flat, names, strict=False):
            _draw_agreement(axes, table[table["figure"] == name].sort_values("ttl_s"), name)
        for unused in grid.flat[len(names) :]:
            unused.set_visible(False)
        fullest = max(grid.flat, key=lambda axes: len(axes.lines))
        handles, labels = fullest.get_legend_handles_labels()
        picture.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return picture


def reads_saved_against_late(table: pd.DataFrame, deployed_s: float) -> Figure:
    """Reads of Postgres saved, and answers late, against the permitted staleness.

    `table` has the columns of `staleness_sweep`; a line per number of processes, and `deployed_s`
    marked.
    """
    million = 1e6 / table["requests"]
    scaled = table.assign(
        saved=100 * (1 - table["reads_per_request"]),
        late=table["late"] * million,
        outdated=table["outdated"] * million,
    )
    with house_style():
        picture = panels(2, width=4.7, height=3.8)
        saved, late = picture.subplots(1, 2)
        _draw_processes(saved, scaled, "saved")
        _draw_processes(late, scaled, "outdated", linestyle=":", markerfacecolor="none")
        _draw_processes(late, scaled, "late")
        label(
            saved, title="Simulated: reads of Postgres saved", x=_STALENESS_AXIS, y="% (log scale)"
        )
        label(late, title="Simulated: answers late", x=_STALENESS_AXIS, y="per million (log scale)")
        for axes, least in ((saved, 0.001), (late, 1.0)):
            _scale_staleness(axes, table["max_staleness_s"], deployed_s, least)
        handles, names = saved.get_legend_handles_labels()
        dotted = Line2D([], [], color=GREY, linestyle=":", marker="o", markerfacecolor="none")
        picture.legend(
            [*handles, dotted], [*names, "outdated epoch: the most that can be late"],
            loc="outside lower center", ncols=len(names) + 1,
        )  # fmt: skip
    return picture


def _draw_processes(axes: Axes, table: pd.DataFrame, column: str, **style: Any) -> None:
    """A line per number of processes; the settings stand at equal distances, 0 among them."""
    for number, (workers, rows) in enumerate(table.groupby("workers")):
        ordered = rows.sort_values("max_staleness_s")
        axes.plot(
            range(len(ordered)), ordered[column], color=PALETTE[number % len(PALETTE)],
            marker=MARKERS[number % len(MARKERS)], clip_on=False,
            label="1 process" if workers == 1 else f"{workers} processes", **style,
        )  # fmt: skip


def _scale_staleness(
    axes: Axes, settings_s: Iterable[float], deployed_s: float, least: float
) -> None:
    """Name the settings and mark the deployed one; y is linear up to `least`, then logarithmic."""
    ordered = sorted(set(settings_s))
    axes.set_xticks(range(len(ordered)), [duration(each) for each in ordered], fontsize=9)
    axes.set_yscale("symlog", linthresh=least)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.set_ylim(0, max(10 * least, 1.5 * axes.get_ylim()[1]))
    axes.axvline(ordered.index(deployed_s), color=GREY, linewidth=1.2, linestyle="--", zorder=0)
    axes.annotate(
        f"deployed: {duration(deployed_s)}" + ("" if deployed_s else ", strict"),
        (ordered.index(deployed_s), 0.97), xycoords=("data", "axes fraction"),
        xytext=(5, 0), textcoords="offset points", va="top", color=GREY, fontsize=9,
    )  # fmt: skip


def _draw_agreement(axes: Axes, rows: pd.DataFrame, name: str) -> None:
    axes.plot(rows["ttl_s"], rows["closed_form"], color=GREY, label="closed form", zorder=1)
    axes.plot(rows["ttl_s"], rows["simulated"], "o", color=BLUE, label="simulator")
    if "replayed" in rows and rows["replayed"].notna().any():
        axes.plot(
            rows["ttl_s"], rows["replayed"], "x", color=VERMILION, markersize=9, label="real caches"
        )
    label(axes, title=name, x=_TTL_AXIS, y="share")
    _scale(axes, rows["ttl_s"], percent=True)


def _against_ttl(
    table: pd.DataFrame, figures: Sequence[tuple[str, str, str]], *, percent: bool
) -> Figure:
    with house_style():
        picture = panels(len(figures))
        grid = picture.subplots(1, len(figures), squeeze=False)
        for axes, (column, title, unit) in zip(grid.flat, figures, strict=True):
            _draw_policies(axes, table, column)
            label(axes, title=f"Simulated: {title}", x=_TTL_AXIS, y=unit)
            _scale(axes, table["answer_soft_ttl_s"], percent=percent)
        handles, names = grid.flat[0].get_legend_handles_labels()
        picture.legend(handles, names, loc="outside lower center", ncols=len(names))
    return picture


def _draw_policies(axes: Axes, table: pd.DataFrame, column: str) -> None:
    for policy, (marker, line, size) in _POLICY_LINES.items():
        rows = table[table["policy"] == policy].sort_values("answer_soft_ttl_s")
        if rows.empty:
            continue
        axes.plot(
            rows["answer_soft_ttl_s"],
            rows[column],
            marker=marker,
            linestyle=line,
            markersize=size,
            markerfacecolor="none" if size > 6 else None,
            color=POLICY_COLOURS[policy],
            label=POLICY_NAMES[policy],
        )
        if f"{column}_low" in rows and policy == _shaded(column):
            ends = rows[f"{column}_low"], rows[f"{column}_high"]
            axes.fill_between(
                rows["answer_soft_ttl_s"], *ends, color=POLICY_COLOURS[policy], alpha=0.13, lw=0
            )


def _shaded(column: str) -> Policy:
    """The policy whose band is drawn: what the pipeline follows, or what alone is ever stale."""
    stale = column == "stale_share_of_hits"
    return Policy.TTL_ONLY if stale else Policy.EVIDENCE_REVALIDATION


def _scale(axes: Axes, ttls_s: pd.Series[float], *, percent: bool) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(_named_ttls(ttls_s)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: duration(seconds)))
    axes.set_ylim(bottom=0)
    if percent:
        axes.set_ylim(-0.02, 1.02)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))


def _named_ttls(ttls_s: Iterable[float]) -> list[float]:
    """The TTLs whose names do not run into each other on the axis; the longest is one."""
    named: list[float] = []
    for ttl_s in sorted(set(ttls_s), reverse=True):
        if not named or named[-1] / ttl_s > _CLOSEST:
            named.append(ttl_s)
    return named[::-1]
