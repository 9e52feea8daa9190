"""The study drawn: recall against its price, tenants, load, churn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from evals.hnsw.front import TARGET, Price, Tried, dominated
from evals.hnsw.grid import LARGEST, Kept, Kind, Setting, tenant_rows
from evals.hnsw.run import HnswRun, Seen
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
from evals.stats.intervals import Floats

_COLOURS = {Kind.EXACT: GREEN, Kind.HNSW: BLUE, Kind.IVFFLAT: ORANGE}
_SHAPES = {Kept.VECTOR: "o", Kept.HALFVEC: "s", Kept.BINARY: "^"}
_BEATEN = "#B9B9B9"
_HEIGHT = 3.5
_RECALLS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 1.0)
_MISSED_AT_ONE = 0.002
"""Chosen: how far 1 lies above 0.99 on an axis by powers of ten of what is missed."""


def draw_all(run: HnswRun, out_path: Path) -> list[Picture]:
    """Recall against latency, against queries a second; tenants; load."""
    return [
        draw_latency(run, out_path),
        draw_throughput(run, out_path),
        draw_tenants(run, out_path),
        draw_load(run, out_path),
    ]


def draw_latency(run: HnswRun, out_path: Path) -> Picture:
    """Recall@5 against the median latency of one client."""
    figure = _front(run, _p50_ms, "p50 of one client, ms")
    title = "Recall against latency"
    caption = "Up and to the left is better. Grey: another setting is as right and faster."
    return save(figure, out_path, "latency", title, caption, alt=_told(run, title, _p50_ms))


def draw_throughput(run: HnswRun, out_path: Path) -> Picture:
    """Recall@5 against queries a second of as many clients as there are at most."""
    figure = _front(run, _idle, f"queries/s of {max(run.grid.clients)} clients")
    title = "Recall against queries a second"
    caption = "Up and to the right is better. Grey: another setting is as right and answers more."
    return save(figure, out_path, "throughput", title, caption, alt=_told(run, title, _idle))


def _p50_ms(each: Tried) -> float:
    return each.p50_ms


def _idle(each: Tried) -> float:
    """The more queries a second, the less it is."""
    return -each.busy.qps


def _front(run: HnswRun, price: Price, x: str) -> Figure:
    sizes = run.grid.sizes
    columns = min(2, len(sizes))
    rows = -(-len(sizes) // columns)
    with house_style():
        figure = panels(1, width=WIDTH, height=_HEIGHT * rows + 0.5)
        axes = figure.subplots(rows, columns, squeeze=False).flatten().tolist()
        for axis, size in zip(axes, sizes, strict=False):
            _draw_front(axis, run.of_size(size), price)
            label(axis, title=f"{size:,} rows", x=x, y="recall@5")
        for axis in axes[len(sizes) :]:
            axis.set_visible(False)
        _add_legend(figure, run.grid.kept)
    return figure


def _draw_front(axis: Axes, tried: Sequence[Tried], price: Price) -> None:
    beaten = dominated(tried, price)
    for each in tried:
        grey = each.setting in beaten
        axis.plot(
            [abs(price(each))], [each.share], _SHAPES[each.setting.kept],
            color=_BEATEN if grey else _COLOURS[each.setting.kind], ms=4 if grey else 7,
            zorder=1 if grey else 3,
        )  # fmt: skip
    line = sorted((abs(price(e)), e.share) for e in tried if e.setting not in beaten)
    axis.plot([x for x, _ in line], [y for _, y in line], color=GREY, lw=1, alpha=0.6, zorder=2)
    axis.axhline(TARGET, color=VERMILION, lw=0.8, ls="--")
    _log(axis)
    _recall_axis(axis, min(each.share for each in tried))


def _recall_axis(axis: Axes, least: float) -> None:
    """What is missed to 1, by powers of ten: between 0.99 and 1 lies what matters."""
    axis.set_yscale("function", functions=(_stretched, _shrunk))
    axis.set_yticks([at for at in _RECALLS if at >= least - 0.1])
    axis.yaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_ylim(max(0.0, least - 0.05), 1.0004)


def _stretched(recall: Floats) -> Floats:
    return -np.log10(np.maximum(_MISSED_AT_ONE + 1 - recall, 1e-6))


def _shrunk(height: Floats) -> Floats:
    return np.asarray(_MISSED_AT_ONE + 1 - 10.0**-height)


def _log(axis: Axes) -> None:
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 3.0, 5.0, 7.0)))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.4g}"))
    axis.xaxis.set_minor_formatter(NullFormatter())


def _add_legend(figure: Figure, kept: Sequence[Kept]) -> None:
    handles = [
        Line2D([], [], color=colour, marker="o", lw=1, label=str(kind))
        for kind, colour in _COLOURS.items()
    ]
    handles += [
        Line2D([], [], color=GREY, marker=_SHAPES[each], lw=0, label=_worded(each)) for each in kept
    ]
    handles.append(Line2D([], [], color=_BEATEN, marker="o", ms=4, lw=0, label="dominated"))
    handles.append(Line2D([], [], color=VERMILION, lw=0.8, ls="--", label=f"target {TARGET}"))
    figure.legend(handles=handles, loc="outside lower center", ncols=4)


def _worded(kept: Kept) -> str:
    return "binary, then reordered" if kept is Kept.BINARY else str(kept)


def _told(run: HnswRun, title: str, price: Price) -> str:
    return " ".join(
        [title + ".", *(_of_size_told(run.of_size(size), price) for size in run.grid.sizes)]
    )


def _of_size_told(tried: Sequence[Tried], price: Price) -> str:
    beaten = dominated(tried, price)
    front = sorted((each for each in tried if each.setting not in beaten), key=price)
    told = (
        f"{each.setting}: recall {each.share:.3f}, p50 {each.p50_ms:.2f} ms,"
        f" {each.busy.qps:,.0f} queries/s under load"
        for each in front
    )
    unbeaten = f"{len(front)} of {len(tried)} settings are not beaten"
    return f"At {tried[0].size:,} rows {unbeaten}: {'; '.join(told)}."


def draw_tenants(run: HnswRun, out_path: Path) -> Picture:
    """Median latency by the number of a tenant's rows, at the largest size."""
    size = max(run.grid.sizes)
    seen = [each for each in run.seen if each.size == size and each.clients == 1]
    with house_style():
        figure = panels(1, width=WIDTH, height=_HEIGHT + 0.6)
        axes = figure.subplots(1, 2)
        for setting, line in _by_setting(seen):
            held = [each.rows for each in line]
            _plot(axes[0], setting, held, [each.timing.quantile_ms(0.5) or 0.0 for each in line])
            _plot(axes[1], setting, held, [each.recall.value or 0.0 for each in line])
        for axis in axes:
            axis.set_xscale("log")
            rows = sorted({each.rows for each in seen})
            axis.set_xticks(rows, [f"{each:,}" for each in rows])
            axis.xaxis.set_minor_locator(NullLocator())
        axes[0].set_yscale("log")
        axes[0].yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes[0].yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.4g}"))
        axes[0].yaxis.set_minor_formatter(NullFormatter())
        label(axes[0], title="Latency", x="rows of the tenant", y="p50, ms")
        label(axes[1], title="Recall", x="rows of the tenant", y="recall@5")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    total = sum(tenant_rows(size).values())
    caption = f"One table of {total:,} rows; where exact search is below, it is the one to take."
    return save(figure, out_path, "tenants", "What a tenant's size does", caption)


def draw_load(run: HnswRun, out_path: Path) -> Picture:
    """Queries a second and the median latency by clients, at the largest size."""
    size = max(run.grid.sizes)
    seen = [each for each in run.seen if each.size == size and each.tenant == LARGEST]
    with house_style():
        figure = panels(1, width=WIDTH, height=_HEIGHT + 0.6)
        axes = figure.subplots(1, 2)
        for setting, line in _by_setting(seen):
            clients = [each.clients for each in line]
            _plot(axes[0], setting, clients, [each.timing.qps for each in line])
            _plot(axes[1], setting, clients, [each.timing.quantile_ms(0.5) or 0.0 for each in line])
        for axis in axes:
            axis.set_xticks(run.grid.clients)
            axis.set_ylim(bottom=0)
        label(axes[0], title="Throughput", x="clients at once", y="queries/s")
        label(axes[1], title="Latency", x="clients at once", y="p50, ms")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    caption = f"{size:,} rows of the largest tenant; all clients share one process."
    return save(figure, out_path, "load", "Under load", caption)


def _by_setting(seen: Sequence[Seen]) -> Iterator[tuple[Setting, list[Seen]]]:
    for setting in dict.fromkeys(each.setting for each in seen):
        line = [each for each in seen if each.setting == setting]
        yield setting, sorted(line, key=lambda each: (each.rows, each.clients))


def _plot(axis: Axes, setting: Setting, x: Sequence[float], y: Sequence[float]) -> None:
    axis.plot(
        x, y, color=_COLOURS[setting.kind], marker=_SHAPES[setting.kept], lw=1.2, ms=5,
        label=str(setting),
    )  # fmt: skip
