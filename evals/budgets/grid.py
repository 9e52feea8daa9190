"""The settings that are swept: which budgets there are, which values each gets, in which words."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

from pydantic import ValidationError

from rag_core.domain import SearchMethod
from rag_core.errors import InvalidInput
from rag_core.settings import Settings

MAX_CHUNKINGS = 3
"""Chosen: the notes are embedded anew for each, once."""


class Chunking(NamedTuple):
    """How notes are cut: tokens of a chunk at most, and tokens that it repeats of the last."""

    tokens: int
    overlap_tokens: int

    def __str__(self) -> str:
        return f"{self.tokens}/{self.overlap_tokens}"


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class BudgetSetting:
    """A value of each budget; the fields are those of `rag_core.settings.Settings`."""

    context_tokens: int
    top_k: int
    chunk_tokens: int
    chunk_overlap_tokens: int
    min_score: float
    """A relevance, -1 to 1: cosine and bonus."""
    min_answerability: float
    """A probability, 0 to 1, in lexical and hybrid search."""
    output_tokens: int
    search_method: SearchMethod = SearchMethod.EXACT

    @classmethod
    def of(cls, settings: Settings) -> BudgetSetting:
        """The budgets that `settings` deploy."""
        return cls(**{each.name: getattr(settings, each.name) for each in fields(cls)})

    @property
    def chunking(self) -> Chunking:
        """How notes are cut."""
        return Chunking(self.chunk_tokens, self.chunk_overlap_tokens)

    def with_value(self, axis: str, value: Any) -> BudgetSetting:
        """This setting with another value of one axis."""
        if isinstance(value, Chunking):
            return replace(self, chunk_tokens=value.tokens, chunk_overlap_tokens=value[1])
        changed: dict[str, Any] = {axis: value}
        return replace(self, **changed)

    def differs_in(self, other: BudgetSetting) -> list[str]:
        """The axes of which the two have different values."""
        return [axis for axis in AXES if getattr(self, axis) != getattr(other, axis)]

    def instead_of(self, other: BudgetSetting) -> str:
        """`600 context tokens instead of 1,200`, a clause for each axis that differs."""
        clauses = [
            f"{AXES[axis].format(shown(getattr(self, axis)))} instead of "
            f"{shown(getattr(other, axis))}"
            for axis in self.differs_in(other)
        ]
        return ", ".join(clauses)

    def beside(self, other: BudgetSetting) -> str:
        """What this setting has otherwise than `other`, such as `600 context tokens, 3 hits`."""
        return self._worded(self.differs_in(other)) or "as it is"

    def __str__(self) -> str:
        return self._worded([axis for axis in AXES if axis != "search_method"])

    def _worded(self, axes: Sequence[str]) -> str:
        return ", ".join(AXES[axis].format(shown(getattr(self, axis))) for axis in axes)


AXES: Mapping[str, str] = {
    "context_tokens": "{} context tokens",
    "top_k": "{} hits",
    "chunking": "chunks of {} tokens",
    "min_score": "least score {}",
    "min_answerability": "least answerability {}",
    "output_tokens": "{} output tokens",
    "search_method": "{} search",
}
"""What is swept, and a value of it in words."""

Axes = Mapping[str, Sequence[Any]]
"""Values to try of each axis."""

PROFILES: Mapping[str, Axes] = {
    "smoke": {"context_tokens": (300, 600, 900, 1200), "top_k": (3, 5, 8)},
    "full": {
        "context_tokens": (300, 450, 600, 900, 1200),
        "top_k": (3, 5, 8),
        "chunking": (Chunking(200, 40), Chunking(100, 20)),
        "min_score": (0.1, 0.2, 0.3, 0.4),
        "output_tokens": (100, 400),
    },
}
"""What is tried unless said otherwise; `smoke` cuts no note anew."""

WORSE_CHUNKING = Chunking(32, 0)
"""Half a sentence each, nothing repeated: what a study must be seen to notice."""


def shown(value: Any) -> str:
    """A value of an axis as people write it."""
    return f"{value:,}" if isinstance(value, int) else str(value)


def axes(profile: str, given: Mapping[str, str]) -> Axes:
    """The profile's values of each axis, or those `given` as text, such as `300, 600`.

    Raises:
        InvalidInput: there is no such profile, or a text is no list of values of its axis.
    """
    if profile not in PROFILES:
        raise InvalidInput("profile", f"must be one of {', '.join(PROFILES)}, got {profile!r}")
    read = {axis: _values(axis, text) for axis, text in given.items() if text.strip()}
    return {**PROFILES[profile], **read}


def grid(tried: Axes, current: BudgetSetting, settings: Settings) -> list[BudgetSetting]:
    """Every combination of the values tried and the current ones, the current setting first.

    Raises:
        InvalidInput: a value is out of its setting's range, or there are too many chunkings.
    """
    values = {axis: sorted({*tried.get(axis, ()), getattr(current, axis)}) for axis in AXES}
    if len(values["chunking"]) > MAX_CHUNKINGS:
        raise InvalidInput(
            "chunking",
            f"{len(values['chunking'])} ways to cut notes, the current one included, are more than "
            f"{MAX_CHUNKINGS}",
            "Each embeds all notes anew; try fewer at a time",
        )
    combined = [
        functools.reduce(
            lambda setting, axis: setting.with_value(*axis), zip(values, each, strict=True), current
        )
        for each in itertools.product(*values.values())
    ]
    for setting in combined:
        check(setting, settings)
    return list(dict.fromkeys([current, *combined]))


def check(setting: BudgetSetting, settings: Settings) -> None:
    """Hold a setting to the ranges of rag_core's settings.

    Raises:
        InvalidInput: names the budget, its value and its range.
    """
    if setting.search_method is not SearchMethod.EXACT:
        raise InvalidInput("search_method", f"{setting.search_method} is not swept: only exact is")
    values = {each.name: getattr(setting, each.name) for each in fields(setting)}
    try:
        Settings(**{**settings.model_dump(include={"home"}), **values})
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        name = str(first["loc"][0]) if first["loc"] else "chunking"
        problem = first["msg"].removeprefix("Value error, ")
        raise InvalidInput(name, f"{values.get(name, setting.chunking)}: {problem}") from None


def _values(axis: str, text: str) -> tuple[Any, ...]:
    read, example = _READERS[axis]
    try:
        return tuple(read(part.strip()) for part in text.split(",") if part.strip())
    except ValueError:
        raise InvalidInput(axis, f"{text!r} is no list like {example}") from None


def _chunking(text: str) -> Chunking:
    if text == "worse":
        return WORSE_CHUNKING
    tokens, slash, overlap = text.partition("/")
    return Chunking(int(tokens), int(overlap) if slash else 0)


_READERS: Mapping[str, tuple[Callable[[str], Any], str]] = {
    "context_tokens": (int, "300,600,1200"),
    "top_k": (int, "3,5,8"),
    "chunking": (_chunking, "200/40,100/20, tokens and overlap, or worse"),
    "min_score": (float, "0.2,0.3"),
    "min_answerability": (float, "0.01,0.03"),
    "output_tokens": (int, "100,400"),
    "search_method": (SearchMethod, "exact"),
}
