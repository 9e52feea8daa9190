"""A finding's figures as people read them, the same in the summary and on the page."""

from __future__ import annotations

from collections.abc import Mapping

from evals.gate.finding import Finding, Judgement, Part, Status
from evals.results.numbers import number, points

PARTS: tuple[Part, ...] = ("run", "quality", "speed", "cost and caches")

LINES: Mapping[Status, str] = {
    Status.PASS: "Nothing that gates became worse.",
    Status.REGRESSION: "The candidate is worse.",
    Status.INCONCLUSIVE: "Too few questions, or too much noise, to tell.",
    Status.INVALID: "The two cannot be compared.",
    Status.INFRASTRUCTURE: "A server or kernel failed: run it again.",
}
"""What each verdict means, in a sentence."""

COLUMNS = ("figure", "verdict", "before", "after", "change", "95 %", "detectable", "n")


def line(judgement: Judgement) -> str:
    """The verdict with its exit code, and a sentence."""
    status = judgement.status
    return f"{status} (exit code {judgement.exit_code}): {LINES[status]}"


def cells(found: Finding) -> tuple[str, ...]:
    """A row below `COLUMNS`, empty where there is no figure."""
    before, after = (_figure(found, value) for value in (found.before, found.after))
    seen = "" if found.detectable is None else points(found.detectable)
    count = f"{found.n:,}" if found.n else ""
    return (
        found.name, str(found.status), before, after, _signed(found, found.difference),
        _bounds(found), seen, count,
    )  # fmt: skip


def _bounds(found: Finding) -> str:
    """An interval, or the one bound of a test that looks one way."""
    if found.low is None:
        return ""
    if found.high is None:
        worst = "at least" if found.low < (found.difference or 0.0) else "at most"
        return f"{worst} {_signed(found, found.low)}"
    return f"{_signed(found, found.low)} to {_signed(found, found.high)}"


def _figure(found: Finding, value: float | None) -> str:
    return "" if value is None else number(value, found.unit)


def _signed(found: Finding, value: float | None) -> str:
    if value is None:
        return ""
    sign = "+" if value > 0 else "−" if value < 0 else "±"
    size = points(abs(value)) if found.unit == "share" else number(abs(value), found.unit)
    return f"{sign}{size}"
