"""A load test drawn: what was sent and what came of it, latency, cost, CPU; what breaks first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evals.load.limits import Limit
from evals.load.study import LoadRun
from evals.load.timeline import STEP_S, timeline
from evals.results.numbers import cell, dollars
from evals.results.outcomes import OUTCOMES
from evals.results.pictures import WIDTH, save
from evals.results.plot_style import (
    BLUE,
    GREEN,
    GREY,
    MARKERS,
    ORANGE,
    OUTCOME_COLOURS,
    PURPLE,
    SKY,
    VERMILION,
    house_style,
    label,
    panels,
)
from evals.results.result import Picture
from loadtests.record.record import Record
from loadtests.record.summary import PARTS

_PART_COLOURS = dict(zip(PARTS, (BLUE, GREEN, VERMILION, SKY, PURPLE), strict=True))
_SHADE = "#F3F3F3"
_CPU_STEP_S = 2.0


def draw_timeline(run: LoadRun, out_path: Path) -> Picture:
    """Requests, outcomes, latency and cost over time."""
    frame = timeline(run.record)
    with house_style():
        figure = panels(1, width=WIDTH, height=8.4)
        axes = figure.subplots(3, 1, sharex=True, gridspec_kw={"height_ratios": (2, 2, 1)})
        _draw_sent(axes[0], frame)
        _draw_latency(axes[1], frame, run.record.shape.provider_s)
        _draw_cost(axes[2], frame)
        for axis in axes:
            _draw_stages(axis, run.record)
        _name_stages(axes[0], run.record)
    caption = "Each point is two seconds of questions, by when they were to be sent."
    return save(figure, out_path, "timeline", "The load over time", caption, alt=alt(run, frame))


def alt(run: LoadRun, frame: pd.DataFrame) -> str:
    """The timeline in words, `frame` having the columns that `timeline` names."""
    counts = ", ".join(f"{frame[name].sum():,} {name}" for name in OUTCOMES if frame[name].any())
    p50, cost = frame["p50_s"].median(), dollars(float(frame["cost_usd"].sum()))
    return (
        f"{len(frame)} points of {STEP_S:g} s: {frame['sent'].sum():,} questions, {counts}; the"
        f" median of their median latencies is {cell(float(p50))} s, and all together cost {cost}."
    )


def _draw_sent(axis: Axes, frame: pd.DataFrame) -> None:
    edges = np.append(frame["at_s"] - STEP_S / 2, frame["at_s"].iloc[-1] + STEP_S / 2)
    below = np.zeros(len(frame))
    for name in OUTCOMES:
        above = below + frame[name].to_numpy() / STEP_S
        if frame[name].any():
            axis.stairs(
                above, edges, baseline=below, fill=True, color=OUTCOME_COLOURS[name], label=name
            )
        below = above
    label(axis, title="", x="", y="questions/s")
    axis.legend(fontsize=8, ncols=5, loc="upper left", bbox_to_anchor=(0, -0.02))


def _draw_latency(axis: Axes, frame: pd.DataFrame, provider_s: float) -> None:
    lines = (("p95_s", "p95", VERMILION), ("p50_s", "p50", BLUE), ("hit_p50_s", "p50 of hits", SKY))
    for (column, name, colour), marker in zip(lines, MARKERS, strict=False):
        axis.plot(frame["at_s"], frame[column], marker=marker, ms=3, color=colour, label=name)
    axis.axhline(provider_s, color=GREY, lw=1, ls="--", label="the provider's time")
    axis.set_yscale("log")
    axis.yaxis.set_major_formatter("{x:g}")
    label(axis, title="", x="", y="latency, s")
    axis.legend(fontsize=8, ncols=4, loc="upper left", bbox_to_anchor=(0, -0.02))


def _draw_cost(axis: Axes, frame: pd.DataFrame) -> None:
    axis.plot(frame["at_s"], frame["cost_usd"].cumsum() * 100, color=ORANGE)
    label(axis, title="", x="seconds since the load began", y="spent,\ncents")
    axis.set_ylim(bottom=0)


def _draw_stages(axis: Axes, record: Record) -> None:
    """Every other stage shaded, and a line where a trouble began."""
    begins = [*record.shape.begins_s, record.shape.seconds]
    for begin_s, end_s in zip(begins[::2], begins[1::2], strict=False):
        axis.axvspan(begin_s, end_s, color=_SHADE, zorder=0)
    for happened in record.run.troubles:
        axis.axvline(happened.begun_s, color=VERMILION, lw=1)
    axis.set_xlim(0, record.shape.seconds)


def _name_stages(axis: Axes, record: Record) -> None:
    marks = [(t.begun_s, f"kill {t.victim}", VERMILION) for t in record.run.troubles]
    stages = zip(record.shape.begins_s, record.shape.stages, strict=True)
    marks += [(begin_s, stage.name, GREY) for begin_s, stage in stages] if not marks else []
    for at_s, name, colour in marks:
        axis.annotate(
            name, (at_s, 1.0), xycoords=("data", "axes fraction"), xytext=(2, 3),
            textcoords="offset points", color=colour, fontsize=8,
        )  # fmt: skip


def draw_cpu(run: LoadRun, out_path: Path) -> Picture:
    """Cores that each part used, the generator's among them."""
    with house_style():
        figure = panels(1, width=WIDTH, height=3.6)
        axis = figure.subplots()
        for part, marker in zip(PARTS, MARKERS, strict=False):
            at_s, used = cores_used(run.record, part)
            if len(at_s):
                colour = _PART_COLOURS[part]
                axis.plot(at_s, used, marker=marker, ms=3, color=colour, label=part)
        _draw_stages(axis, run.record)
        _name_stages(axis, run.record)
        label(axis, title="", x="seconds since the load began", y="cores")
        axis.set_ylim(bottom=0)
        axis.legend(fontsize=8, ncols=5, loc="upper left", bbox_to_anchor=(0, -0.2))
    caption = (
        f"Of {run.record.run.cores} cores. The generator runs on the same machine; what it takes,"
        " the servers cannot have."
    )
    return save(figure, out_path, "cpu", "Who used the machine", caption)


def cores_used(record: Record, part: str) -> tuple[list[float], list[float]]:
    """When was looked, in seconds from the load's begin, and the cores used since the last look."""
    seen = [each for each in record.usages if each.part == part and each.at_s >= -1]
    at_s, used = [], []
    last = seen[0] if seen else None
    for each in seen[1:]:
        if last and each.at_s - last.at_s >= _CPU_STEP_S:
            at_s.append((each.at_s + last.at_s) / 2)
            used.append((each.cpu_s - last.cpu_s) / (each.at_s - last.at_s))
            last = each
    return at_s, used


def draw_limits(found: Sequence[Limit], hit_share: float, out_path: Path) -> Picture:
    """What breaks first: a bar a bound, on a scale of powers of ten."""
    with house_style():
        figure: Figure = panels(1, width=WIDTH, height=0.8 + 0.45 * len(found))
        axis = figure.subplots()
        colours = [VERMILION, *[BLUE] * (len(found) - 1)]
        axis.barh([each.name for each in found], [each.rate for each in found], color=colours)
        for place, each in enumerate(found):
            axis.annotate(
                f" {cell(each.rate)}/s: {each.setting}", (each.rate, place), va="center",
                fontsize=8, in_layout=False,
            )  # fmt: skip
        axis.set_xscale("log")
        axis.set_xlim(right=max(each.rate for each in found) * 100)
        axis.invert_yaxis()
        label(axis, title="", x="requests/s that it lets through", y="")
    caption = f"At the mix's hit rate of {hit_share:.0%}, one process, settings as they come."
    return save(figure, out_path, "limits", "What breaks first", caption)
