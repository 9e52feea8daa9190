"""Headlines of the split that is reported, with the value on what was tuned on beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from evals.datasets.golden import Split
from evals.measures.scores import Aggregate
from evals.results.result import Headline

Whole = TypeVar("Whole")


def reported(by_split: Mapping[Split, Aggregate]) -> Split | None:
    """`test` where anything of it was asked, else `dev`; None where nothing was."""
    asked = [split for split, whole in by_split.items() if whole.n + whole.unscored]
    return max(asked, default=None)  # by the alphabet, test comes last


def split_headline(
    make: Callable[[Aggregate], Headline], by_split: Mapping[Split, Aggregate]
) -> Headline | None:
    """What `make` says of the reported split, with dev's value beside it; None if not asked."""
    if (split := reported(by_split)) is None:
        return None
    beside = make(by_split["dev"]).value if split == "test" and "dev" in by_split else None
    return replace(make(by_split[split]), split=split, dev=beside)
