"""The cards at the top of the report: at most nine key numbers in three groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import get_args

from evals.report.verdict import key_headlines
from evals.results.notebook_run import NotebookRun
from evals.results.result import Group, Headline

GROUPS: tuple[Group, ...] = get_args(Group)
PER_GROUP = 3
"""Nine cards can be read in a minute; all other numbers stand in tables."""
VALIDITY = "validity"
"""Where a result's data says how far a measure is to be believed: a sentence by measure."""


def cards(runs: Sequence[NotebookRun]) -> dict[Group, list[Headline]]:
    """The first key headlines of each group that has any, in the order of the notebooks."""
    believed = validities(runs)
    chosen = {
        group: [each for each in key_headlines(runs) if each.group == group][:PER_GROUP]
        for group in GROUPS
    }
    return {
        group: [with_validity(each, believed) for each in headlines]
        for group, headlines in chosen.items()
        if headlines
    }


def validities(runs: Sequence[NotebookRun]) -> dict[str, str]:
    """What notebooks say of measures, by measure: `notices 88 % of planted faults, …`."""
    said: dict[str, str] = {}
    for run in runs:
        sentences = run.result.data.get(VALIDITY) if run.result else None
        if isinstance(sentences, Mapping):
            said |= {str(measure): str(sentence) for measure, sentence in sentences.items()}
    return said


def with_validity(headline: Headline, believed: Mapping[str, str]) -> Headline:
    """The headline with what is said of its measure, unless its notebook says so itself."""
    if headline.validity or headline.measure not in believed:
        return headline
    return replace(headline, validity=believed[headline.measure])
