"""One look for the project's pictures: colours that colour-blind readers tell apart, quiet axes."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from matplotlib import rc_params_from_file, style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evals.results.outcomes import OUTCOMES

_STYLE = Path(__file__).with_suffix(".mplstyle")
PALETTE: tuple[str, ...] = tuple(
    rc_params_from_file(_STYLE, use_default_template=False)["axes.prop_cycle"].by_key()["color"]
)
BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, BLACK = PALETTE
GREY = "#6E6E6E"
OUTCOME_COLOURS = dict(
    zip(OUTCOMES, (BLUE, SKY, GREEN, PURPLE, ORANGE, GREY, GREY, BLACK), strict=True)
)
"""The same in every picture."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
"""Shapes that go with the palette, so that no line is known by its colour alone."""


def house_style() -> AbstractContextManager[None]:
    """Draw figures made in this block in the project's style; nothing outside changes."""
    return style.context(_STYLE)


def panels(columns: int, *, rows: int = 1, width: float = 4.0, height: float = 3.4) -> Figure:
    """An empty figure for `rows` x `columns` panels of `width` x `height` inches each."""
    return Figure(figsize=(width * columns, height * rows))


def label(axes: Axes, *, title: str, x: str, y: str) -> None:
    """Name a panel and its two axes; units belong in the names."""
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
