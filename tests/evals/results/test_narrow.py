"""Pictures for a telephone, and in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from evals.results.alt_text import alt_text
from evals.results.narrow import WIDTH, narrow
from evals.results.pictures import DPI, save
from evals.results.plot_style import house_style, label, panels


@pytest.fixture
def figure() -> Figure:
    """Bars and a line beside each other, with one legend below and one in a panel."""
    with house_style():
        drawn = panels(2, width=4.7, height=3.0)
        left, right = drawn.subplots(1, 2, sharey=True)
        left.barh(["embed the question", "retrieve"], [30.0, 4.0], label="median")
        label(left, title="time of each step", x="milliseconds", y="")
        for name in ("one process", "four processes", "sixteen processes"):
            right.plot([1, 2], [0.5, 0.25], label=name)
        label(right, title="reads saved", x="seconds", y="share")
        right.legend()
        drawn.legend(*left.get_legend_handles_labels(), loc="outside lower center")
        drawn.canvas.draw()
    return drawn


def test_panels_stand_below_each_other_each_with_its_names(figure: Figure) -> None:
    with house_style():
        narrow(figure)
        figure.canvas.draw()
    left, right = figure.axes
    assert figure.get_figwidth() == WIDTH
    assert left.get_position().y0 > right.get_position().y1
    for axes in (left, right):
        assert axes.get_position().width > 0.4
        assert any(tick.get_visible() for tick in axes.get_yticklabels())
    assert "embed the question" in {tick.get_text() for tick in left.get_yticklabels()}


def test_legends_become_one_below_all_panels(figure: Figure) -> None:
    with house_style():
        narrow(figure)
        figure.canvas.draw()
    [legend] = figure.legends
    named = {text.get_text() for text in legend.get_texts()}
    assert named == {"median", "one process", "four processes", "sixteen processes"}
    assert all(axes.get_legend() is None for axes in figure.axes)
    box = legend.get_window_extent()
    assert 0 <= box.x0 < box.x1 <= figure.bbox.width
    assert box.y1 < figure.axes[-1].get_window_extent().y0


def test_a_picture_is_saved_wide_and_narrow_and_says_what_is_seen(
    figure: Figure, tmp_path: Path
) -> None:
    picture = save(figure, tmp_path / "01_x.json", "steps", "Where does the time go?", "Less.")
    for name, inches in ((picture.file, 9.4), (picture.narrow, WIDTH)):
        with Image.open(tmp_path / name) as image:
            assert image.width == round(inches * DPI)
    assert picture.alt.startswith("Where does the time go?")


def test_the_words_for_a_picture_name_panels_axes_and_values(figure: Figure) -> None:
    said = alt_text(figure, "Where does the time go?")
    for part in (
        "Panel: time of each step.",
        "across milliseconds",
        "Rows: embed the question, retrieve.",
        "median: 30, 4.",
        "one process: 0.5, 0.25.",
    ):
        assert part in said


def test_long_lines_are_told_by_their_ends_and_single_dots_by_row() -> None:
    with house_style():
        drawn = panels(1)
        axes = drawn.subplots()
        axes.plot(np.arange(50), np.linspace(0, 1, 50), label="answered")
        for place, value in enumerate((0.25, 0.75)):
            axes.plot([value], [place], "o")
    said = alt_text(drawn, "T")
    assert "answered: from 0 to 1." in said
    assert "Dots: 0.25, 0.75." in said
