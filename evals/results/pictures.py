"""Pictures of runs: drawn in the house style, saved beside a notebook's result, shown in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from evals.measures.scores import Aggregate
from evals.results.alt_text import alt_text
from evals.results.narrow import narrow
from evals.results.plot_style import BLUE, GREY, house_style, label, panels
from evals.results.result import Picture

DPI = 150
"""Sharp on a screen of twice the usual density, at the width below."""
WIDTH = 9.4
"""Inches of every picture, so that letters are as large in one as in the other."""
_ROW_INCHES = 0.4
_SHOWN_PIXELS = 820


def save(
    figure: Figure, out_path: Path, name: str, title: str, caption: str, *, alt: str = ""
) -> Picture:
    """Save `figure` as `<result>-<name>.png` beside the result at `out_path`, and for a telephone.

    `alt` says in words what is seen; unless given, it is made from what the figure holds. The
    figure itself is left in its narrow form.
    """
    file, narrow_file = f"{out_path.stem}-{name}.png", f"{out_path.stem}-{name}-narrow.png"
    out_path.parent.mkdir(parents=True, exist_ok=True)
    said = alt or alt_text(figure, title)
    with house_style():
        _write(figure, out_path.parent / file)
        narrow(figure)
        _write(figure, out_path.parent / narrow_file)
    return Picture(file, title, caption, said, narrow_file)


def _write(figure: Figure, path: Path) -> None:
    """A PNG of at most 256 colours: plots have few, and the page that holds it is mailed.

    `Figure.savefig` would draw twice, the first time to know the layout, which drawing does anyway.
    """
    from PIL import Image

    before = figure.dpi
    figure.set_dpi(DPI)
    canvas: Any = FigureCanvasAgg(figure)  # has no annotations
    canvas.draw()
    pixels = Image.fromarray(np.asarray(canvas.buffer_rgba()))
    figure.set_dpi(before)
    pixels.convert("RGB").quantize(256).save(path, optimize=True)


@dataclass(frozen=True)
class Shown:
    """An image that a notebook displays when it stands last in a cell."""

    png: bytes

    def _repr_mimebundle_(self, **kwargs: object) -> tuple[dict[str, bytes], dict[str, object]]:
        return {"image/png": self.png}, {"image/png": {"width": _SHOWN_PIXELS}}


def show(picture: Picture, out_path: Path) -> Shown:
    """The picture, for a notebook to display."""
    return Shown((out_path.parent / picture.file).read_bytes())


def interval_panels(
    panels_of: Mapping[str, Mapping[str, Aggregate | None]],
    *,
    x: str,
) -> Figure:
    """A panel of shares per key, a row per name: a dot for the value, a line for its interval.

    Rows are the same in every panel; a row without a value says so.
    """
    names = list(next(iter(panels_of.values())))
    with house_style():
        figure = panels(1, width=WIDTH, height=1.0 + _ROW_INCHES * len(names))
        axes = figure.subplots(1, len(panels_of), sharey=True, squeeze=False)[0]
        for axis, (title, rows) in zip(axes, panels_of.items(), strict=True):
            _interval_rows(axis, list(rows.values()))
            label(axis, title=title, x=x, y="")
            axis.set_xlim(-0.03, 1.03)
        axes[0].set_yticks(range(len(names)), names)
        axes[0].set_ylim(len(names) - 0.5, -0.5)
    return figure


def _interval_rows(axis: Axes, rows: Sequence[Aggregate | None]) -> None:
    for place, aggregate in enumerate(rows):
        if aggregate is None or aggregate.value is None:
            axis.annotate(
                "not scored" if aggregate else "not asked",
                (0.04, place),
                xycoords=("axes fraction", "data"),
                va="center",
                color=GREY,
                fontsize=8,
            )
            continue
        if aggregate.low is not None and aggregate.high is not None:
            axis.plot([aggregate.low, aggregate.high], [place, place], color=BLUE, lw=5, alpha=0.25)
        axis.plot([aggregate.value], [place], "o", color=BLUE, ms=6)
        axis.annotate(
            f"n={aggregate.n}",
            (0.99, place),
            xycoords=("axes fraction", "data"),
            xytext=(0, 5),
            textcoords="offset points",
            ha="right",
            color=GREY,
            fontsize=7,
        )
    axis.grid(visible=False, axis="y")
