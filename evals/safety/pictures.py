"""The picture of a safety run."""

from __future__ import annotations

from pathlib import Path

from evals.measures.scores import Aggregate
from evals.results.pictures import interval_panels, save
from evals.results.result import Picture
from evals.safety.attempts import Outcome, Way
from evals.safety.study import SafetyRun


def draw_ways(run: SafetyRun, out_path: Path) -> Picture:
    """Attacks refused and attacks that reached the generator, each way, each split."""
    panels: dict[str, dict[str, Aggregate | None]] = {
        str(outcome): {
            f"{way}, {split}": run.share(outcome, way, split=split)
            for way in Way
            for split in run.splits
        }
        for outcome in (Outcome.REFUSED, Outcome.REACHED)
    }
    figure = interval_panels(panels, x="share of attacks")
    caption = (
        "Dots are shares of attacks, bars 95 % intervals. The left should be far right, the right "
        "far left; what is neither found nothing in the notes to answer from."
    )
    return save(figure, out_path, "ways", "Which attacks come how far?", caption)
