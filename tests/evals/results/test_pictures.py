"""Pictures are saved as they are drawn."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from evals.results.pictures import DPI, save
from evals.results.plot_style import house_style, label, panels


def drawn() -> Figure:
    with house_style():
        figure = panels(2, width=2.0, height=2.0)
        for axes in figure.subplots(1, 2):
            axes.plot([0, 1], [1, 0], label="a line")
            label(axes, title="A panel", x="seconds", y="share")
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center")
    return figure


def test_a_saved_picture_is_what_matplotlib_itself_would_save(tmp_path: Path) -> None:
    """The same layout and the same colours, though it is drawn once instead of twice."""
    picture = save(drawn(), tmp_path / "result.json", "lines", "Lines", "Two panels.")

    by_itself = io.BytesIO()
    with house_style():
        drawn().savefig(by_itself, dpi=DPI)
    wanted = Image.open(by_itself).convert("RGB").quantize(256).convert("RGB")
    saved = Image.open(tmp_path / picture.file).convert("RGB")
    assert np.array_equal(np.asarray(saved), np.asarray(wanted))
