"""One look for the project's pictures: colours that colour-blind readers tell apart, quiet axes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's palette (2008), without its yellow, which is too light for lines on white.
BLUE, ORANGE, GREEN = "#0072B2", "#E69F00", "#009E73"
VERMILION, PURPLE, SKY, BLACK = "#D55E00", "#CC79A7", "#56B4E9", "#000000"
GREY = "#6E6E6E"
PALETTE = (BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, BLACK)
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
"""Shapes that go with the palette, so that no line is known by its colour alone."""

_RC: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.prop_cycle": cycler(color=PALETTE),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.w_pad": 0.1,
    "figure.dpi": 110,
    "font.size": 10,
    "grid.color": "#E3E3E3",
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw figures made in this block in the project's style; nothing outside changes."""
    with mpl.rc_context(_RC):
        yield


def panels(columns: int, *, rows: int = 1, width: float = 4.0, height: float = 3.4) -> Figure:
    """An empty figure for `rows` x `columns` panels of `width` x `height` inches each."""
    return Figure(figsize=(width * columns, height * rows))


def label(axes: Axes, *, title: str, x: str, y: str) -> None:
    """Name a panel and its two axes; units belong in the names."""
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
