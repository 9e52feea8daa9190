"""What is seen in a picture, in words, for those who do not see it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

_MOST_POINTS = 12
"""Lines and bars of more points are told by their ends."""


def alt_text(figure: Figure, title: str) -> str:
    """The title, then each panel: its axes, its names, and the values of its lines and bars."""
    panels = [axes for axes in figure.axes if axes.get_visible()]
    return " ".join([title, *(" ".join(_panel(axes)) for axes in panels)])


def _panel(axes: Axes) -> Iterator[str]:
    title = axes.get_title(loc="left") or axes.get_title()
    if title:
        yield f"Panel: {_plain(title)}."
    sides = {"across": axes.get_xlabel(), "up": axes.get_ylabel()}
    said = ", ".join(f"{side} {_plain(words)}" for side, words in sides.items() if words)
    if said:
        yield f"Axes: {said}."
    names = [
        name.get_text() for name in axes.get_yticklabels() if any(map(str.isalpha, name.get_text()))
    ]
    if names:
        yield f"Rows: {', '.join(map(_plain, names))}."
    yield from _bars(axes)
    yield from _lines(axes)


def _bars(axes: Axes) -> Iterator[str]:
    for container in axes.containers:
        if isinstance(container, BarContainer):
            bars = [bar for bar in container.patches if isinstance(bar, Rectangle)]
            lengths = [max(bar.get_width(), bar.get_height(), key=abs) for bar in bars]
            yield f"{_named(container.get_label())}: {_values(lengths)}."


def _lines(axes: Axes) -> Iterator[str]:
    dots = []
    for line in axes.lines:
        across, up = (np.asarray(data, dtype=float) for data in line.get_data())
        if not str(line.get_label()).startswith("_"):
            yield f"{_named(line.get_label())}: {_values(up.tolist())}."
        elif len(up) == 1:
            dots.append(float(across[0]))
    if dots:
        yield f"Dots: {_values(dots)}."


def _values(values: list[float]) -> str:
    if len(values) > _MOST_POINTS:
        return f"from {values[0]:.3g} to {values[-1]:.3g}"
    return ", ".join(f"{value:.3g}" for value in values)


def _named(label: object) -> str:
    """Its name in the legend; matplotlib gives what has none a name that begins with _."""
    return "Bars" if str(label).startswith("_") else _plain(str(label))


def _plain(text: str) -> str:
    return " ".join(text.split())
