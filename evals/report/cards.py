"""The cards at the top of the report: at most nine key numbers in three groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from evals.report.verdict import key_headlines
from evals.results.notebook_run import NotebookRun
from evals.results.result import Group, Headline

GROUPS: tuple[Group, ...] = get_args(Group)
PER_GROUP = 3
"""Nine cards can be read in a minute; all other numbers stand in tables."""


def cards(runs: Sequence[NotebookRun]) -> dict[Group, list[Headline]]:
    """The first key headlines of each group that has any, in the order of the notebooks."""
    keys = key_headlines(runs)
    chosen = {group: [each for each in keys if each.group == group] for group in GROUPS}
    return {group: headlines[:PER_GROUP] for group, headlines in chosen.items() if headlines}


def validity(runs: Sequence[NotebookRun]) -> dict[str, str]:
    """What is known of each measure's validity, a sentence each, where a notebook looked into it.

    Such a notebook has them in its result's data, as `validity`.
    """
    sentences: dict[str, str] = {}
    for run in runs:
        if run.result:
            sentences |= run.result.data.get("validity", {})
    return sentences
