"""Pictures of a retrieval run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from evals.measures.scores import Aggregate
from evals.results.pictures import WIDTH, save
from evals.results.plot_style import BLUE, GREEN, GREY, ORANGE, SKY, house_style, label, panels
from evals.results.result import Picture
from evals.retrieval.modes import COMPARED
from evals.retrieval.study import OVERLAPS, RetrievalRun
from rag_core.domain import SearchMethod, SearchMode

MEASURES = {"R@5": "recall@5", "nDCG@10": "nDCG@10", "RR@10": "MRR@10"}
_COLOURS = {SearchMethod.EXACT: BLUE, SearchMethod.HNSW: ORANGE}
_MODES = {SearchMode.LEXICAL: (GREEN, "s"), SearchMode.HYBRID: (ORANGE, "o")}
_FIRST = dict(zip(OVERLAPS, (GREEN, SKY), strict=True))
_MARKERS = {SearchMethod.EXACT: "o", SearchMethod.HNSW: "s"}


def draw_measures(run: RetrievalRun, out_path: Path) -> Picture:
    """Each measure of each collection, both methods, with intervals."""
    names = [collection.name for collection in run.collections]
    with house_style():
        figure = panels(3, width=WIDTH / 3, height=1.4 + 0.5 * len(names))
        axes = figure.subplots(1, len(MEASURES), sharey=True)
        for axis, (measure, title) in zip(axes, MEASURES.items(), strict=True):
            for offset, method in ((-0.13, SearchMethod.EXACT), (0.13, SearchMethod.HNSW)):
                for place, collection in enumerate(run.collections):
                    aggregate = collection.scores[method].aggregates[measure]
                    _draw_dot(axis, aggregate, place + offset, method, named=place == 0)
            axis.set_xlim(0, 1.02)
            axis.grid(visible=False, axis="y")
            label(axis, title=title, x="mean over queries", y="")
        axes[0].set_yticks(range(len(names)), names)
        axes[0].set_ylim(len(names) - 0.5, -0.5)
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
    caption = "Dots are means, bars 95 % bootstrap intervals over queries; further right is better."
    return save(figure, out_path, "measures", "Does search find the right passages?", caption)


def _draw_dot(
    axis: Axes, aggregate: Aggregate, y: float, method: SearchMethod, *, named: bool
) -> None:
    """A mean with its interval, where there are any."""
    if aggregate.value is None:
        return
    colour, name = _COLOURS[method], method.value if named else None
    if aggregate.low is not None and aggregate.high is not None:
        axis.plot([aggregate.low, aggregate.high], [y, y], color=colour, lw=4, alpha=0.3)
    axis.plot([aggregate.value], [y], _MARKERS[method], color=colour, label=name)


def draw_modes(run: RetrievalRun, out_path: Path) -> Picture:
    """How far lexical and hybrid search are from dense, by measure, with intervals."""
    names = [each.name for each in run.modes]
    with house_style():
        figure = panels(2, width=WIDTH / 2, height=1.5 + 0.5 * len(names))
        axes = figure.subplots(1, len(COMPARED), sharey=True)
        for axis, measure in zip(axes, COMPARED, strict=True):
            axis.axvline(0, color=GREY, lw=1)
            for offset, (mode, (colour, marker)) in zip((-0.13, 0.13), _MODES.items(), strict=True):
                for place, each in enumerate(run.modes):
                    found = each.differences[mode, measure]
                    if found.mean is None:
                        continue
                    y, named = place + offset, mode.value if place == 0 else None
                    if found.low is not None and found.high is not None:
                        axis.plot([found.low, found.high], [y, y], color=colour, lw=4, alpha=0.3)
                    axis.plot([found.mean], [y], marker, color=colour, label=named)
            axis.grid(visible=False, axis="y")
            label(axis, title=MEASURES[measure], x="minus dense search", y="")
        axes[0].set_yticks(range(len(names)), names)
        axes[0].set_ylim(len(names) - 0.5, -0.5)
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
    caption = (
        "Paired over the same queries; bars are 95 % intervals. Right of the line a mode finds "
        "more than vectors alone."
    )
    return save(figure, out_path, "modes", "By vectors, by words, or by both?", caption)


def draw_trade(run: RetrievalRun, out_path: Path) -> Picture:
    """What HNSW loses against exact search, and what it saves."""
    names = [collection.name for collection in run.collections]
    places = np.arange(len(names))
    with house_style():
        figure = panels(2, width=WIDTH / 2, height=1.7 + 0.5 * len(names))
        left, right = figure.subplots(1, 2, sharey=True)
        for offset, k in zip((-0.18, 0.18), OVERLAPS, strict=True):
            values = [collection.overlap[k].value or 0.0 for collection in run.collections]
            bars = left.barh(places + offset, values, 0.32, label=f"first {k}", color=_FIRST[k])
            left.bar_label(bars, [f"{value:.3f}" for value in values], padding=-34, color="white")
        left.set_xlim(0, 1.02)
        label(left, title="recall of HNSW against exact search", x="share found", y="")
        for offset, method in ((-0.18, SearchMethod.EXACT), (0.18, SearchMethod.HNSW)):
            pairs = [collection.latency(method) for collection in run.collections]
            p50 = [aggregate.value or 0.0 for aggregate, _ in pairs]
            p95 = [np.nan if tail.value is None else tail.value for _, tail in pairs]
            right.barh(places + offset, p50, 0.32, color=_COLOURS[method], label=method.value)
            right.plot(p95, places + offset, "|", color=_COLOURS[method], ms=12, mew=2)
        label(right, title="latency: bar median, line p95", x="milliseconds", y="")
        left.set_yticks(places, names)
        left.set_ylim(len(names) - 0.5, -0.5)
        for axis in (left, right):
            axis.grid(visible=False, axis="y")
            axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=2)
    caption = (
        "One client, one connection, vectors ready: the time of the search alone. "
        "A p95 wants 100 queries."
    )
    return save(
        figure, out_path, "trade", "What does the HNSW index cost, and what does it save?", caption
    )
