"""What an examination finds: one line each, with what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rag_core.errors import ConfigurationError, InvalidInput, RagError, Unavailable


class Level(StrEnum):
    """How bad it is: WARN works, but not as well as it could; with FAIL something does not."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one part, and its fix."""

    part: str
    level: Level
    text: str
    fix: str = ""


def ok(part: str, text: str) -> Finding:
    """Nothing to do."""
    return Finding(part, Level.OK, text)


def warn(part: str, text: str, fix: str) -> Finding:
    """It works, but."""
    return Finding(part, Level.WARN, text, fix)


def fail(part: str, text: str, fix: str) -> Finding:
    """It does not work until it is mended."""
    return Finding(part, Level.FAIL, text, fix)


def failed_with(part: str, error: RagError) -> Finding:
    """An error as a finding."""
    match error:
        case ConfigurationError(setting=name, problem=problem, fix=fix):
            return fail(part, f"{name} {problem}", fix)
        case InvalidInput(problem=problem, fix=fix) | Unavailable(problem=problem, fix=fix):
            return fail(part, problem, fix)
    return fail(part, str(error), "")


def all_well(findings: Sequence[Finding]) -> bool:
    """Whether nothing failed."""
    return all(found.level is not Level.FAIL for found in findings)
