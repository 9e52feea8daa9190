"""What an examination finds: one line each, with what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rag_core.errors import ConfigurationError, InvalidInput, RagError, Unavailable


class Level(StrEnum):
    """How well a part works: OK as it should, WARN not as well as it could, FAIL not at all."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """The state of one part, in words, and how to mend it."""

    part: str
    level: Level
    text: str
    fix: str = ""


def ok(part: str, text: str) -> Finding:
    """A part that works as it should."""
    return Finding(part, Level.OK, text)


def warn(part: str, text: str, fix: str) -> Finding:
    """A part that works, but not as well as it could."""
    return Finding(part, Level.WARN, text, fix)


def fail(part: str, text: str, fix: str) -> Finding:
    """A part that does not work until it is mended."""
    return Finding(part, Level.FAIL, text, fix)


def failed_with(part: str, error: RagError) -> Finding:
    """The finding that a part failed with `error`, with the fix that the error names."""
    match error:
        case ConfigurationError(setting=name, problem=problem, fix=fix):
            return fail(part, f"{name} {problem}", fix)
        case InvalidInput(problem=problem, fix=fix) | Unavailable(problem=problem, fix=fix):
            return fail(part, problem, fix)
    return fail(part, str(error), "")


def all_well(findings: Sequence[Finding]) -> bool:
    """Whether no finding has the level FAIL."""
    return all(found.level is not Level.FAIL for found in findings)
