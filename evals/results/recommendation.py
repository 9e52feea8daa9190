"""Settings that notebooks recommend, joined into one file that the app can load.

A notebook hands a `Recommendation` over in its result. At the end of a run all of them become
`recommended.env`, which says where it comes from; if one is withheld, there is no file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rag_core.errors import InvalidInput

FILE = "recommended.env"
_VARIABLE = re.compile(r"RAG_[A-Z0-9_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """What one notebook recommends, and by what it chose.

    Raises:
        InvalidInput: a name is no variable of the app, or is both recommended and kept.
    """

    objective: str
    """What was weighed, at what prices."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Value by variable, as in `{"RAG_CONTEXT_TTL_S": "3600"}`."""
    kept: Mapping[str, str] = field(default_factory=dict)
    """Why a variable keeps its default, by variable."""
    withheld: str = ""
    """Why nothing may be recommended; empty where it may."""

    def __post_init__(self) -> None:
        for name in (*self.settings, *self.kept):
            if not _VARIABLE.fullmatch(name):
                raise InvalidInput("recommendation", f"{name!r} is no variable RAG_…")
        for name in self.settings.keys() & self.kept.keys():
            raise InvalidInput("recommendation", f"{name} is both recommended and kept")

    def lines(self) -> list[str]:
        """Its part of the file: comments and NAME=value."""
        return [
            _comment(f"Objective: {self.objective}"),
            *(f"{name}={value}" for name, value in self.settings.items()),
            *(_comment(f"{name} keeps its default: {why}") for name, why in self.kept.items()),
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The run that a file of settings comes from.

    `date` is ISO 8601, `pipeline` the digest of the pipeline that was measured.
    """

    run: str
    commit: str
    date: str
    pipeline: str


def why_withheld(offered: Mapping[str, Recommendation]) -> str:
    """Why the recommendations, by notebook, must not become a file; empty where they may."""
    if not offered:
        return "no notebook recommended any"
    reasons = [f"{name}: {each.withheld}" for name, each in offered.items() if each.withheld]
    times = Counter(name for each in offered.values() for name in (*each.settings, *each.kept))
    reasons += [f"several notebooks speak of {name}" for name, n in times.items() if n > 1]
    return "; ".join(reasons)


def write_recommended(
    offered: Mapping[str, Recommendation], origin: Origin, folder: Path
) -> Path | None:
    """Write `recommended.env` to `folder`; None, and no file, where `why_withheld` has a reason."""
    if why_withheld(offered):
        return None
    lines = [
        _comment(f"Recommended by run {origin.run} of {origin.date}, commit {origin.commit},"),
        _comment(f"for the pipeline {origin.pipeline}. Use: python -m rag_core --env {FILE} …"),
    ]
    for name, each in offered.items():
        lines += ["", _comment(name), *each.lines()]
    path = folder / FILE
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def _comment(text: str) -> str:
    """One line, whatever the text holds."""
    return f"# {' '.join(text.split())}"
