"""The picture of what the rules say of questions."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from evals.classes.confusion import Confusion
from evals.results.pictures import WIDTH, save
from evals.results.plot_style import BLUE, GREY, house_style, label, panels
from evals.results.result import Picture
from rag_core.domain import QuestionClass

_SHADES = LinearSegmentedColormap.from_list("shades", ["#FFFFFF", BLUE])
_DARK = 0.85
"""Share of a row from which its figures are white."""
_KINDS = tuple(QuestionClass)


def draw_confusion(confusion: Confusion, out_path: Path) -> Picture:
    """How many questions of each class the rules say are of which, and how sure that is."""
    with house_style():
        figure = panels(1, width=WIDTH, height=3.3)
        counts, noticed = figure.subplots(1, 2, width_ratios=(5, 4))
        _draw_counts(counts, confusion)
        _draw_recall(noticed, confusion)
    caption = (
        "A row is what people say that questions are, a column what the rules say; right is what "
        "stands on the diagonal. Beside it, the share of each class that the rules notice, with "
        "its 95 % interval. What they are not sure of, they leave a look-up."
    )
    title = "Do the rules tell the class of a question?"
    alt = f"{title} {' '.join(_in_words(confusion, kind) for kind in _KINDS)}"
    return save(figure, out_path, "classes", title, caption, alt=alt)


def _draw_counts(axis: Axes, confusion: Confusion) -> None:
    rows = [[confusion.counts(kind)[said] for said in _KINDS] for kind in _KINDS]
    shares = [[count / max(1, sum(row)) for count in row] for row in rows]
    axis.imshow(shares, cmap=_SHADES, vmin=0, vmax=1, aspect="auto")
    for y, row in enumerate(rows):
        for x, count in enumerate(row):
            colour = "white" if shares[y][x] > _DARK else "black"
            axis.text(x, y, str(count), ha="center", va="center", color=colour, fontsize=11)
    named = [f"{kind.in_words} (n={sum(row)})" for kind, row in zip(_KINDS, rows, strict=True)]
    axis.set_yticks(range(len(_KINDS)), named)
    axis.set_xticks(range(len(_KINDS)), [kind.in_words for kind in _KINDS], fontsize=8.5)
    axis.grid(visible=False)
    label(axis, title="questions", x="what the rules say", y="")


def _draw_recall(axis: Axes, confusion: Confusion) -> None:
    for place, kind in enumerate(_KINDS):
        if found := confusion.recall(kind):
            seen = found.share
            axis.plot([seen.low, seen.high], [place, place], color=BLUE, lw=5, alpha=0.25)
            axis.plot([seen.value], [place], "o", color=BLUE, ms=6)
        else:
            axis.text(0.02, place, "n=0, not measured", va="center", color=GREY, fontsize=8)
    axis.set_yticks(range(len(_KINDS)), [kind.in_words for kind in _KINDS])
    axis.set_ylim(len(_KINDS) - 0.5, -0.5)
    axis.set_xlim(-0.03, 1.03)
    axis.grid(visible=False, axis="y")
    label(axis, title="noticed", x="share of the class", y="")


def _in_words(confusion: Confusion, kind: QuestionClass) -> str:
    counts = confusion.counts(kind)
    said = ", ".join(f"{counts[said]} {said.in_words}" for said in _KINDS if counts[said])
    return f"Of {counts.total()} {kind.in_words} questions the rules say: {said or 'nothing'}."
