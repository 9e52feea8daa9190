"""The verdict over a whole run: which targets are met or missed, what could not be measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evals.results.notebook_run import NotebookRun
from evals.results.result import Headline, Status


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line that stands at the top, how it is coloured, and the sentences below it."""

    status: Status
    line: str
    details: tuple[str, ...]


def key_headlines(runs: Sequence[NotebookRun]) -> list[Headline]:
    """The numbers at the top of the report, in the order of the notebooks."""
    return [
        headline for run in runs if run.result for headline in run.result.headlines if headline.key
    ]


def overall_verdict(runs: Sequence[NotebookRun]) -> Verdict:
    """Judge a run by its key numbers and by what failed."""
    failed = [run for run in runs if run.problem]
    targeted = [headline for headline in key_headlines(runs) if headline.target is not None]
    met, near, missed, unknown = (
        [headline.name for headline in targeted if headline.status == status]
        for status in ("good", "watch", "bad", "unknown")
    )
    headline = {
        "Missed": missed,
        "Below the target, but too few questions to be sure": near,
        "Not measured": unknown,
        "Failed": [f"{run.name} ({run.problem})" for run in failed],
    }
    details = tuple(f"{state}: {_listed(names)}." for state, names in headline.items() if names)
    return Verdict(_status(failed, missed, near or unknown), _line(failed, met, targeted), details)


def _status(failed: Sequence[object], missed: Sequence[object], unsure: Sequence[object]) -> Status:
    if failed or missed:
        return "bad"
    return "watch" if unsure else "good"


def _line(failed: Sequence[NotebookRun], met: Sequence[str], targeted: Sequence[Headline]) -> str:
    if failed:
        return f"This run is incomplete: {len(failed)} of its notebooks failed."
    if not targeted:
        return "Everything ran; no number here has a target."
    if len(met) == len(targeted):
        return (
            f"All {len(targeted)} targets are met." if len(targeted) > 1 else "The target is met."
        )
    return f"{len(met)} of {len(targeted)} targets are met."


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
