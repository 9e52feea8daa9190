"""Objectives of a run, from slo.toml, and whether its figures meet them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from loadtests.record.figures import Figures

SLO = Path(__file__).parents[1] / "slo.toml"
INSIDE = frozenset({"unbooked_share", "connections_left", "fds_left", "rss_growth_share"})
"""Figures of what only whoever started the application can see."""


class Bounds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a figure may be, in the figure's own unit."""

    at_most: float | None = None
    """In the figure's unit."""
    at_least: float | None = None
    """In the figure's unit."""

    def hold(self, value: float) -> bool:
        """Whether `value`, in the figure's unit, lies within them."""
        above = self.at_most is not None and value > self.at_most
        return not above and not (self.at_least is not None and value < self.at_least)

    def __str__(self) -> str:
        said = (("at most", self.at_most), ("at least", self.at_least))
        return ", ".join(f"{words} {bound:g}" for words, bound in said if bound is not None)


@dataclass(frozen=True, slots=True)
class Finding:
    """A figure beside its bounds; one that was not measured does not hold."""

    name: str
    value: float | None
    """In the unit that the name says."""
    bounds: Bounds

    @property
    def holds(self) -> bool:
        """Whether it was measured and lies within the bounds."""
        return self.value is not None and self.bounds.hold(self.value)

    def __str__(self) -> str:
        value = "was not measured" if self.value is None else f"{self.value:.4g}"
        return f"{self.name} {value}, wanted {self.bounds}"


@dataclass(frozen=True, slots=True)
class Objectives:
    """What makes a run of one shape valid, and what makes it good."""

    valid: Mapping[str, Bounds]
    good: Mapping[str, Bounds]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a run stands to its objectives."""

    valid: Sequence[Finding]
    good: Sequence[Finding]

    @property
    def exit_code(self) -> int:
        """0: all objectives are met; 1: one is not; 3: the run proves nothing."""
        if not all(each.holds for each in self.valid):
            return 3
        return 0 if all(each.holds for each in self.good) else 1

    @property
    def words(self) -> str:
        """The verdict in a sentence."""
        invalid = [str(each) for each in self.valid if not each.holds]
        missed = [str(each) for each in self.good if not each.holds]
        if invalid:
            return f"INVALID, it says nothing about the application: {'; '.join(invalid)}."
        if missed:
            return f"MISSED: {'; '.join(missed)}."
        return f"PASSED: all {len(self.good)} objectives are met."


def read_objectives(shape: str, path: Path = SLO, *, outside: bool = False) -> Objectives:
    """Those of `[valid]`; those of `[all]`, over which those of the shape's own table win.

    Args:
        outside: leave out what cannot be seen of an application that somebody else started.

    Raises:
        ValueError: the file is no TOML, or says of a figure something that is no bound.
    """
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    found = msgspec.convert(tables, dict[str, dict[str, Bounds]])
    good = {**found.get("all", {}), **found.get(shape, {})}
    good = {name: each for name, each in good.items() if not (outside and name in INSIDE)}
    return Objectives(found.get("valid", {}), good)


def judge(objectives: Objectives, figures: Figures) -> Verdict:
    """The verdict on a run with these figures.

    Raises:
        ValueError: an objective names a figure that there is not.
    """
    unknown = {*objectives.valid, *objectives.good} - figures.keys()
    if unknown:
        known = ", ".join(sorted(figures))
        raise ValueError(f"slo.toml names {', '.join(sorted(unknown))}; figures are {known}")
    return Verdict(_found(objectives.valid, figures), _found(objectives.good, figures))


def _found(bounds: Mapping[str, Bounds], figures: Figures) -> list[Finding]:
    return [Finding(name, figures[name], each) for name, each in bounds.items()]
