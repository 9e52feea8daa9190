"""Pictures of a study of validity."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes

from evals.measures.scores import Aggregate
from evals.measures.validity.card import REJECTED, Card
from evals.measures.validity.validity import PASSES, averages
from evals.results import numbers
from evals.results.pictures import WIDTH, interval_panels, save
from evals.results.plot_style import GREY, MARKERS, PALETTE, house_style, label, panels
from evals.results.result import Picture
from evals.validity.study import ValidityRun

_ROW_INCHES = 0.5


def words(name: str) -> str:
    """A kind or measure as a person writes it."""
    return name.replace("_", " ")


def draw_noticed(run: ValidityRun, out_path: Path) -> Picture:
    """What of each kind of wrong claim checkers notice, all rejecting as many right ones."""
    cards = shown_cards(run.cards)
    kinds = sorted({kind for card in cards if card.strict for kind in card.strict.noticed_by_kind})
    with house_style():
        figure = panels(1, width=WIDTH, height=1.2 + _ROW_INCHES * len(kinds))
        axis = figure.subplots()
        for place, card in enumerate(cards):
            _draw_card(axis, card, kinds, place, len(cards))
        axis.axvline(REJECTED, color=GREY, ls="--", lw=1.2)
        axis.set_yticks(range(len(kinds)), [_counted(cards, kind) for kind in kinds])
        axis.set_ylim(len(kinds) - 0.5, -0.5)
        axis.set_xlim(-0.02, 1.02)
        axis.grid(visible=False, axis="y")
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.09), ncols=len(cards))
        label(axis, title="", x="share of wrong claims noticed", y="")
    caption = (
        f"Every checker rejects {numbers.share(REJECTED)} of the right claims, the dashed line: "
        "what is noticed no more surely than that is not told apart. Lines are 95 % intervals."
    )
    return save(figure, out_path, "noticed", "Which wrong claims are noticed?", caption)


def draw_scoreboard(run: ValidityRun, out_path: Path) -> Picture:
    """What the measures make of planted answers, beside the real ones."""
    runs = {_named(each.kind, each.faulty): averages(each) for each in run.planted}
    means = {f"real: {run.generator}": averages(run.real), **runs}
    shown: dict[str, dict[str, Aggregate | None]] = {
        words(measure): {name: of_run[measure] for name, of_run in means.items()}
        for measure in PASSES
    }
    caption = (
        "Dots are means over questions, lines 95 % intervals. A faulty answer should stand further "
        "left than the right ones in at least one panel."
    )
    figure = interval_panels(shown, x="share")
    return save(figure, out_path, "scoreboard", "What do planted answers score?", caption)


def shown_cards(cards: Sequence[Card]) -> list[Card]:
    """The cards worth a colour: of ragas' metrics, the one that separates best."""
    ragas = [card for card in cards if card.checker.startswith("ragas")]
    best = max(ragas, key=lambda card: card.auc.value if card.auc else 0.0, default=None)
    return [card for card in cards if card not in ragas or card is best]


def _draw_card(axis: Axes, card: Card, kinds: Sequence[str], place: int, of: int) -> None:
    if card.strict is None:
        return
    colour, marker = PALETTE[place % len(PALETTE)], MARKERS[place % len(MARKERS)]
    name: str | None = card.checker
    for row, kind in enumerate(kinds):
        noticed = card.strict.noticed_by_kind.get(kind)
        if noticed is None or noticed.value is None:
            continue
        at = row + (place - (of - 1) / 2) * 0.7 / of
        if noticed.low is not None and noticed.high is not None:
            axis.plot([noticed.low, noticed.high], [at, at], color=colour, lw=3, alpha=0.3)
        axis.plot([noticed.value], [at], marker, color=colour, ms=6, label=name)
        name = None


def _counted(cards: Sequence[Card], kind: str) -> str:
    counts = {c.strict.noticed_by_kind[kind].n for c in cards if c.strict}
    return f"{words(kind)}\n(n={max(counts)})"


def _named(kind: str, faulty: bool) -> str:
    return f"{'faulty' if faulty else 'right'}: {words(kind)}"
