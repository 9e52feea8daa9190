"""The same picture for a telephone: panels below each other, letters as large as in text."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter

WIDTH = 4.2
"""Inches; on a telephone, 360 points wide, letters of 10 points are then 12 pixels high."""
_LABEL_CHARACTERS = 18
_TITLE_CHARACTERS = 32
_LEGEND_COLUMNS = 2
_ENTRY_CHARACTERS = 22
_LEGEND_INCHES = 0.25


def narrow(figure: Figure) -> None:
    """Lay `figure`, drawn before, out anew for a width of `WIDTH`; there is no way back."""
    panels = [axes for axes in figure.axes if axes.get_visible() and axes.get_subplotspec()]
    columns = max((_columns(axes) for axes in panels), default=1)
    height = figure.get_figheight() * (len(panels) / _rows(panels) if columns > 1 else 1.0)
    lines = _move_legends(figure, panels)
    if columns > 1:
        _stack(figure, panels)
    for axes in panels:
        _wrap_labels(axes)
        axes.set_title(_wrapped(axes.get_title(loc="left"), _TITLE_CHARACTERS), loc="left")
        _wrap(axes.xaxis.label)
        _wrap(axes.yaxis.label)
    figure.set_size_inches(WIDTH, height + _LEGEND_INCHES * lines)


def _stack(figure: Figure, panels: Sequence[Axes]) -> None:
    grid = figure.add_gridspec(len(panels), 1)
    for place, axes in enumerate(panels):
        axes.set_subplotspec(grid[place])
        axes.tick_params(labelleft=True, labelbottom=True)


def _move_legends(figure: Figure, panels: Sequence[Axes]) -> int:
    """One legend below all panels, in place of those that are too wide; returns its lines."""
    moved = [legend for axes in panels if (legend := axes.get_legend()) and _moves(legend, axes)]
    entries: dict[str, Artist] = {}
    for legend in (*figure.legends, *moved):
        names = [_wrapped(text.get_text(), _ENTRY_CHARACTERS) for text in legend.get_texts()]
        entries |= dict(zip(names, filter(None, legend.legend_handles), strict=True))
        legend.remove()
    if entries:
        figure.legend(
            list(entries.values()), list(entries), loc="outside lower center",
            ncols=min(_LEGEND_COLUMNS, len(entries)),
        )  # fmt: skip
    return -(-len(entries) // _LEGEND_COLUMNS)


def _moves(legend: Legend, axes: Axes) -> bool:
    """Whether it has too many entries for a narrow panel, or stands below its panel."""
    below = legend.get_window_extent().y0 < axes.get_window_extent().y0
    return below or len(legend.get_texts()) > _LEGEND_COLUMNS


def _wrap_labels(axes: Axes) -> None:
    """Names at the vertical axis, such as scenarios, take two lines where they are long."""
    formatter = axes.yaxis.get_major_formatter()
    if isinstance(formatter, FixedFormatter):
        named = [_wrapped(name, _LABEL_CHARACTERS) for name in formatter.seq]
        axes.yaxis.set_major_formatter(FixedFormatter(named))


def _wrap(text: Text) -> None:
    text.set_text(_wrapped(text.get_text(), _TITLE_CHARACTERS))


def _wrapped(text: str, characters: int) -> str:
    return "\n".join(textwrap.fill(line, characters) for line in text.split("\n"))


def _columns(axes: Axes) -> int:
    spec = axes.get_subplotspec()
    return spec.get_gridspec().ncols if spec else 1


def _rows(panels: Sequence[Axes]) -> int:
    spec = panels[0].get_subplotspec()
    return spec.get_gridspec().nrows if spec else 1
