"""Numbers as people read them: the same wording in reports, notebooks, pictures and tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from evals.results.result import Cell, Headline, Unit
from evals.stats.intervals import Estimate

UNKNOWN = "not measured"


def share(value: float) -> str:
    """The share `value` as a percentage; 0.99999 is <100 % and 1e-6 is >0 %, as all and none are
    said of nothing else.
    """
    text = _digits(100 * value)
    if text == "100" and value < 1:
        return "<100 %"
    return ">0 %" if 0 < value < 1e-5 else f"{text} %"


def points(value: float) -> str:
    """A difference of two shares, `value`, in points of a hundred: 0.185 is 18.5 points."""
    return f"{_digits(100 * value)} points"


def dollars(usd: float) -> str:
    """Money at the precision that its size deserves: $0.0026, $3.12, $50, $1,560."""
    if usd >= 100 or usd == round(usd):
        return f"${usd:,.0f}"
    return f"${usd:,.2f}" if usd >= 0.01 else f"${usd:.2g}"


def count(value: float) -> str:
    """The `value` of a count, with its thousands apart."""
    return f"{value:,.0f}"


def megabytes(size_bytes: float) -> str:
    """Millions of bytes."""
    return f"{_digits(size_bytes / 1e6)} MB"


_WORDED: dict[Unit, Callable[[float], str]] = {
    "share": share,
    "usd": dollars,
    "count": count,
    "bytes": megabytes,
    "score": "{:.3f}".format,
}


def number(value: float | None, unit: Unit) -> str:
    """`value` with its unit: 0.8123 as 81.2 %, 0.00026 as $0.00026, 12.34 as 12.3 ms."""
    if value is None:
        return UNKNOWN
    worded = _WORDED.get(unit)
    return worded(value) if worded else f"{_digits(value)} {unit}"


def duration(seconds: float) -> str:
    """A TTL as people say it: 30 s, 1.5 min, 6 h, 7 d."""
    for unit_s, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= unit_s:
            return f"{_digits(seconds / unit_s)} {unit}"
    return f"{_digits(seconds)} s"


def estimate(value: Estimate, unit: Unit) -> str:
    """A value and its interval, each with its unit: `81.2 % [80 %, 82 %]`."""
    middle, low, high = (number(each, unit) for each in (value.value, value.low, value.high))
    return f"{middle} [{low}, {high}]"


def interval(headline: Headline) -> str:
    """The interval of a headline, or nothing where there is none."""
    return span(headline.low, headline.high, headline.unit)


def sample(headline: Headline) -> str:
    """How many things a headline rests on; of a simulated one, how many traffics."""
    if not headline.simulated:
        return f"n = {headline.n}"
    return f"{headline.n} traffics" if headline.n else "supposed"


def span(lowest: float | None, highest: float | None, unit: Unit) -> str:
    """Numbers from `lowest` to `highest`: `40 to 60 %`; nothing where one is missing."""
    if lowest is None or highest is None:
        return ""
    low, high = number(lowest, unit), number(highest, unit)
    suffix = " " + high.partition(" ")[2]
    return f"{low.removesuffix(suffix)} to {high}"


def target(headline: Headline) -> str:
    """What we want of a headline: `at least 90 %`."""
    if headline.target is None:
        return ""
    wanted = number(headline.target, headline.unit)
    if headline.better == "lower":
        return f"at most {wanted}" if headline.target else wanted
    return wanted if headline.target == 1 else f"at least {wanted}"


def reasons(counts: Mapping[str, int]) -> str:
    """Why so many are unscored, the most frequent reason first: `3 × timeout; 1 × refused`."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return "; ".join(f"{count:,} × {reason}" for reason, count in ordered)


def split(headline: Headline) -> str:
    """Which questions a headline is of: `test; dev 81.2 %, gap -3.1 %`; the gap is test - dev."""
    if headline.dev is None or headline.value is None:
        return headline.split
    gap = headline.value - headline.dev
    sign = "-" if gap < 0 else "+"
    beside = f"dev {number(headline.dev, headline.unit)}"
    return f"{headline.split}; {beside}, gap {sign}{number(abs(gap), headline.unit)}"


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


def _digits(value: float) -> str:
    """Three digits, or all of a whole number."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
