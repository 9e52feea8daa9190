"""Pictures of a quality run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from evals.datasets.golden import Scenario
from evals.measures.abstention import SHOULD_ABSTAIN, SHOULD_ANSWER
from evals.measures.funnel import STAGES
from evals.measures.scores import Aggregate
from evals.quality.study import QualityRun
from evals.results.pictures import WIDTH, interval_panels, save
from evals.results.plot_style import BLUE, GREEN, ORANGE, SKY, VERMILION, house_style, label, panels
from evals.results.result import Picture
from evals.results.splits import reported
from rag_core.domain import Provenance

ANSWER_PANELS = {
    "fact_recall": "facts stated",
    "citation_recall": "gold cited",
    "citation_precision": "citations right",
    "groundedness": "sentences grounded",
}
ANSWER_ROWS = tuple(scenario for scenario in Scenario if scenario in SHOULD_ANSWER)
STAGE_COLOURS = (SKY, BLUE, GREEN, ORANGE)
SAFETY_ROWS = {
    "attack_refusal": "attacks refused",
    "abstention_recall": "unanswerable declined",
    "abstention_precision": "declines that were right",
    "false_refusal": "honest questions refused",
}


_PROBABILITIES = (0.01, 0.03, 0.1, 0.3, 1)


def words(scenario: str) -> str:
    """A scenario or measure as a person writes it."""
    return scenario.replace("_", " ")


def draw_answers(run: QualityRun, out_path: Path) -> Picture:
    """How good answers are, per scenario that has something to answer."""
    shown = {title: _by_row(run, measure) for measure, title in ANSWER_PANELS.items()}
    figure = interval_panels(shown, x="share")
    caption = (
        "Dots are means over questions, bars 95 % bootstrap intervals; further right is better. "
        f"Scenarios are those of {next(iter(run.summary.by_split))}."
    )
    return save(figure, out_path, "answers", "How good are the answers?", caption)


def draw_funnel(run: QualityRun, out_path: Path) -> Picture:
    """What becomes of the golden facts, stage by stage, per split and scenario."""
    stages = {name: _by_row(run, name) for name in STAGES}
    stated = stages["fact_recall"]
    scored = [row for row, whole in stated.items() if whole and whole.value is not None]
    rows = scored or list(stated)[:1]
    with house_style():
        figure = panels(1, width=WIDTH, height=1.2 + 0.75 * len(rows))
        axis = figure.subplots()
        for place, (name, title) in enumerate(STAGES.items()):
            wholes = [stages[name][row] for row in rows]
            _draw_stage(axis, wholes, place, title)
        counts = [whole.n if (whole := stated[row]) else 0 for row in rows]
        labels = [f"{row}\n(n={n})" for row, n in zip(rows, counts, strict=True)]
        axis.set_yticks(range(len(rows)), labels)
        axis.set_ylim(len(rows) - 0.5, -0.5)
        axis.set_xlim(0, 1.02)
        axis.grid(visible=False, axis="y")
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=len(STAGES))
        label(axis, title="", x="share of the golden facts", y="")
    caption = (
        "Each bar is a stage, its line the 95 % interval. What the second lacks of the first did "
        "not fit the context or scored too low; the generator dropped what the last two lack. A "
        "fact may be stated from words that its quote does not cover."
    )
    return save(figure, out_path, "funnel", "Where are facts lost?", caption)


def _draw_stage(axis: Axes, wholes: Sequence[Aggregate | None], place: int, title: str) -> None:
    """The bars of one stage in all rows; a row that was not scored has none."""
    colour = STAGE_COLOURS[place]
    for row, whole in enumerate(wholes):
        y, named = row + 0.2 * (place - 1.5), title if row == 0 else None
        axis.barh(y, (whole.value if whole else None) or 0.0, 0.18, color=colour, label=named)
        if whole and whole.low is not None and whole.high is not None:
            axis.plot([whole.low, whole.high], [y, y], color="black", lw=1.2, alpha=0.6)


def _by_row(run: QualityRun, measure: str) -> dict[str, Aggregate | None]:
    """The measure over each split, and in each scenario of the reported one."""
    parts = run.summary.by_split
    scenarios = next(iter(parts.values())).groups
    return {f"all of {split}": part.overall.get(measure) for split, part in parts.items()} | {
        words(row): scenarios[row].get(measure) for row in ANSWER_ROWS if row in scenarios
    }


def draw_safety(run: QualityRun, out_path: Path) -> Picture:
    """Whether it keeps quiet when it should, and only then."""
    rows: dict[str, Aggregate | None] = {}
    for measure, title in SAFETY_ROWS.items():
        by_split = run.summary.of_splits(measure)
        split = reported(by_split)
        rows[title] = by_split[split] if split else None
    figure = interval_panels({"": rows}, x="share of questions")
    caption = "The first three should be far right, the last far left."
    return save(
        figure, out_path, "safety", "Does it keep quiet when it should, and only then?", caption
    )


def draw_scores(run: QualityRun, out_path: Path) -> Picture:
    """What decides whether an answer is made: questions that the notes answer beside the others."""
    groups = {
        "the notes answer it": (_top_scores(run, SHOULD_ANSWER), BLUE),
        "they do not": (_top_scores(run, SHOULD_ABSTAIN), ORANGE),
    }
    rng = np.random.default_rng(0)  # spreads the dots, changes no value
    with house_style():
        figure = panels(1, width=WIDTH, height=2.5)
        axis = figure.subplots()
        for place, (scores, colour) in enumerate(groups.values()):
            spread = place + rng.uniform(-0.16, 0.16, len(scores))
            axis.plot(scores, spread, "o", color=colour, alpha=0.65, ms=6)
        axis.axvline(run.threshold.least, color=VERMILION, ls="--", lw=1.4)
        axis.annotate(
            str(run.threshold),
            (run.threshold.least, 1.5),
            xytext=(4, -9),
            textcoords="offset points",
            color=VERMILION,
            fontsize=8,
        )
        axis.set_yticks(
            range(len(groups)),
            [f"{name}\n(n={len(scores)})" for name, (scores, _) in groups.items()],
        )
        axis.set_ylim(-0.5, 1.5)
        axis.grid(visible=False, axis="y")
        if run.threshold.model:  # most of the probabilities are small
            axis.set_xscale("log")
            axis.set_xticks(_PROBABILITIES, [f"{each:g}" for each in _PROBABILITIES])
            axis.minorticks_off()
        label(axis, title="", x=run.threshold.measures, y="")
    caption = (
        "A dot is a question. Left of the line no answer is made; "
        "where the two groups overlap, no threshold can tell them apart."
    )
    return save(figure, out_path, "scores", "Can a number tell what the notes can answer?", caption)


def draw_latency(run: QualityRun, out_path: Path) -> Picture:
    """Where the time goes, and how it spreads over questions."""
    steps = _steps(run)
    with house_style():
        figure = panels(2, width=WIDTH / 2, height=3.1)
        left, right = figure.subplots(1, 2)
        names = list(steps)
        left.barh(names, [float(np.median(steps[name])) for name in names], color=SKY)
        left.invert_yaxis()
        left.grid(visible=False, axis="y")
        label(left, title="median of each step", x="milliseconds", y="")
        for name, values, colour in (
            ("wall clock", [s.latency_ms for s in run.observations], BLUE),
            ("processor", [s.cpu_ms for s in run.observations], ORANGE),
        ):
            known = sorted(value for value in values if value is not None)
            shares = np.arange(1, len(known) + 1) / max(1, len(known))
            right.step(known, shares, where="post", color=colour, label=name)
        right.set_ylim(0, 1.02)
        right.set_xlim(left=0)
        right.legend(loc="lower right")
        label(right, title="questions done within", x="milliseconds", y="share of questions")
    caption = "Answers that were generated, on the left; all questions, on the right."
    return save(figure, out_path, "latency", "Where does the time go?", caption)


def _top_scores(run: QualityRun, scenarios: frozenset[Scenario]) -> list[float]:
    return [
        run.threshold.value(seen.question.question, seen.ranking)
        for seen in run.observations
        if seen.question.scenario in scenarios and seen.ranking and seen.ranking.hits
    ]


def _steps(run: QualityRun) -> dict[str, list[float]]:
    steps: dict[str, list[float]] = defaultdict(list)
    for seen in run.observations:
        if seen.answer and seen.answer.provenance is Provenance.FRESH:
            for step, elapsed_ms in seen.answer.timings_ms.items():
                if step != "total":
                    steps[words(step)].append(elapsed_ms)
    return steps or {"nothing was generated": [0.0]}
