"""The timeline of a drill in one picture: latency by provenance, breakers, money; phases shaded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from evals.drills.drill import Phase
from evals.drills.run import DrillRun
from evals.drills.scene import PROVIDER
from evals.drills.study import DrillsRun
from evals.results.numbers import dollars
from evals.results.outcomes import ERROR
from evals.results.pictures import WIDTH, save
from evals.results.plot_style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    OUTCOME_COLOURS,
    SKY,
    VERMILION,
    house_style,
    label,
    panels,
)
from evals.results.result import Picture
from rag_core.domain import Provenance

_SHAPES = {
    Provenance.FRESH: "o",
    Provenance.CACHED: "s",
    Provenance.REVALIDATED: "P",
    Provenance.STALE: "v",
    Provenance.DEGRADED: "D",
    Provenance.NO_CONTEXT: ".",
    ERROR: "X",
}
"""Shape of each provenance: no dot is known by its colour alone."""
_STATES = {"closed": (GREEN, 0.12), "half-open": (SKY, 0.5), "open": (VERMILION, 0.8)}
"""Colour and height of the bar of each state of a breaker."""
_TROUBLE = "#FBE9DD"
_HEIGHTS = (2.6, 0.4, 1.3)


def draw_timelines(held: DrillsRun, out_path: Path) -> list[Picture]:
    """That of each drill."""
    return [draw_timeline(run, out_path) for run in held.runs]


def draw_timeline(run: DrillRun, out_path: Path) -> Picture:
    """The drill's timeline, saved beside the result."""
    rows = [PROVIDER, *(each for each in run.timeline.dependencies if each != PROVIDER)]
    with house_style():
        heights = (_HEIGHTS[0], _HEIGHTS[1] * len(rows) + 0.4, _HEIGHTS[2])
        figure = panels(1, width=WIDTH, height=sum(heights) + 1.6)
        axes = figure.subplots(3, 1, sharex=True, gridspec_kw={"height_ratios": heights})
        for axis in axes:
            axis.axvspan(*run.timeline.trouble_s, color=_TROUBLE, zorder=0)
        _draw_latency(axes[0], run)
        _draw_breakers(axes[1], run, rows)
        _draw_money(axes[2], run)
        _name_phases(axes[0], run)
        _add_legend(figure, axes[0])
    caption = f"{run.drill.story} Shaded: the trouble. Each dot is a request, where it was sent."
    title = f"Timeline: {run.drill.title[0].lower()}{run.drill.title[1:]}"
    return save(figure, out_path, run.drill.name, title, caption, alt=alt(run))


def alt(run: DrillRun) -> str:
    """The timeline in words."""
    phases = " ".join(_told(run, phase) for phase in Phase)
    booked = dollars(run.booked_usd or 0.0)
    return f"{run.drill.title}. {phases} {_breakers_told(run)} Booked {booked}."


def _told(run: DrillRun, phase: Phase) -> str:
    counts = run.provenances(phase)
    times = [each.latency_ms for each in run.of(phase)]
    slowest = f", the slowest after {max(times):,.0f} ms" if times else ""
    shown = ", ".join(f"{n} {name}" for name, n in counts.most_common()) or "no request"
    return f"In the {phase}: {shown}{slowest}."


def _breakers_told(run: DrillRun) -> str:
    told = [
        f"{name} {', '.join(f'{state} at {at:.1f} s' for at, state in changes[:6])}"
        for name in run.timeline.dependencies
        if (changes := run.timeline.changes(name))
    ]
    return f"Breakers: {'; '.join(told)}." if told else "All breakers stayed closed."


def _draw_latency(axis: Axes, run: DrillRun) -> None:
    for name, marker in _SHAPES.items():
        held = [each for each in run.timeline.ended if each.provenance == name]
        if held:
            at, took = [e.arrival.at_s for e in held], [max(e.latency_ms, 1.0) for e in held]
            colour = OUTCOME_COLOURS[name]
            axis.plot(at, took, marker, color=colour, ms=5, alpha=0.8, label=str(name), mew=0.4)
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda ms, _: f"{ms:,.0f}"))
    axis.yaxis.set_minor_formatter(NullFormatter())
    label(axis, title="", x="", y="latency, ms")


def _draw_breakers(axis: Axes, run: DrillRun, rows: Sequence[str]) -> None:
    for place, name in enumerate(rows):
        for begin_s, end_s, state in _states(run, name):
            colour, height = _STATES[state]
            axis.broken_barh(
                [(begin_s, end_s - begin_s)], (place - height / 2, height), facecolors=colour
            )
    axis.set_yticks(range(len(rows)), [f"breaker\n{name}" for name in rows])
    axis.set_ylim(len(rows) - 0.4, -0.6)
    axis.grid(visible=False, axis="y")


def _states(run: DrillRun, name: str) -> Iterator[tuple[float, float, str]]:
    """From when to when the breaker was in which state."""
    changes = [(0.0, "closed"), *run.timeline.changes(name), (_end_s(run), "")]
    for (begin_s, state), (end_s, _) in pairwise(changes):
        yield begin_s, end_s, state


def _draw_money(axis: Axes, run: DrillRun) -> None:
    billed = [(each.at_s, each.usd) for each in run.timeline.billed]
    axis.plot(*_thousandths(billed), color=ORANGE, lw=4, alpha=0.5, label="billed by the provider")
    sums = list(accumulate((usd for _, usd in run.settled), initial=0.0))
    moments = [min(0.0, _begin_s(run)), *(at_s for at_s, _ in run.settled)]
    ends = [*zip(moments, sums, strict=True), (_end_s(run), sums[-1])]
    axis.step(*_thousandths(ends), where="post", color=BLUE, lw=1.6, label="booked by us")
    axis.set_ylim(bottom=0)
    axis.legend(fontsize=8)
    axis.set_xlim(-0.02 * _end_s(run), 1.02 * _end_s(run))
    label(axis, title="", x="seconds since the drill began", y="spent,\n$ / 1,000")


def _thousandths(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [at for at, _ in points], [1000 * usd for _, usd in points]


def _begin_s(run: DrillRun) -> float:
    """Of what was settled."""
    return min((at_s for at_s, _ in run.settled), default=0.0)


def _end_s(run: DrillRun) -> float:
    return run.timeline.billed[-1].at_s


def _name_phases(axis: Axes, run: DrillRun) -> None:
    """The calm up to where the trouble begins, the others from where they begin."""
    begin_s, end_s = run.timeline.trouble_s
    for phase, at_s in zip(Phase, (begin_s, begin_s, end_s), strict=True):
        calm = phase is Phase.CALM
        axis.annotate(
            str(phase), (at_s, 1.0), xycoords=("data", "axes fraction"),
            xytext=(-3 if calm else 3, 4), textcoords="offset points",
            ha="right" if calm else "left", color=GREY, fontsize=9,
        )  # fmt: skip


def _add_legend(figure: Figure, axis: Axes) -> None:
    """All provenances that occurred, and the states of a breaker."""
    dots = axis.get_legend_handles_labels()[0]
    bars = [Patch(color=colour, label=f"breaker {name}") for name, (colour, _) in _STATES.items()]
    figure.legend(handles=[*dots, *bars], loc="outside lower center", ncols=5)
