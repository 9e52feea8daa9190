"""Numbers as people read them."""

from __future__ import annotations

from evals.results.result import Cell, Headline, Unit

UNKNOWN = "not measured"


def number(value: float | None, unit: Unit) -> str:
    """`value` with its unit: 0.8123 as 81 %, 0.00026 as $0.00026, 12.3 as 12 ms."""
    if value is None:
        return UNKNOWN
    match unit:
        case "share":
            return _percent(value)
        case "ms" | "s":
            return f"{value:,.0f} {unit}" if value >= 10 else f"{value:.2g} {unit}"
        case "usd":
            return f"${value:,.2f}" if value >= 0.01 or value == 0 else f"${value:.2g}"
        case "count":
            return f"{value:,.0f}"
        case "score":
            return f"{value:.3f}"


def _percent(share: float) -> str:
    """All and none are said of nothing else: 0.9999 is below 100 %, and 0.0004 is not 0 %."""
    if share in (0, 1):
        return f"{share:.0%}".replace("%", " %")
    text = f"{share * 100:.1f}"
    return {"100.0": "<100 %", "0.0": ">0 %"}.get(text, f"{text} %")


def interval(found: Headline) -> str:
    """The interval of a headline, or nothing where there is none."""
    if found.low is None or found.high is None:
        return ""
    low, high = number(found.low, found.unit), number(found.high, found.unit)
    unit = " %" if found.unit == "share" else f" {found.unit}"
    return f"{low.removesuffix(unit)} to {high}"


def target(found: Headline) -> str:
    """What we want of a headline: `at least 90 %`."""
    if found.target is None:
        return ""
    if found.better == "lower":
        return (
            number(found.target, found.unit)
            if not found.target
            else f"at most {number(found.target, found.unit)}"
        )
    return (
        f"at least {number(found.target, found.unit)}"
        if found.target != 1
        else number(1, found.unit)
    )


def cell(value: Cell) -> str:
    """A table's cell: whole numbers whole, others with the digits that matter."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool() | int():
            return f"{value:,}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"
