"""What a question names of the notes it is about: verses, a time, a tag."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import count

from rag_core.domain.query import Filters
from rag_core.domain.references import named_verses

NAMED_FILTERS = "named-1"
"""Names the way of recognising; another one may mean other answers."""

_MONTHS = "january february march april may june july august september october november december"
_MONTH = {name: number for number, name in enumerate(_MONTHS.split(), start=1)}
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_TIME = re.compile(
    rf"\b(?:(?:in|from|of|during)\s+)(?:(?P<month>{'|'.join(_MONTH)}),?\s+)?{_YEAR}\b"
    rf"|\b(?P<only>{'|'.join(_MONTH)})\s+(?P<then>(?:19|20)\d\d)\b"
    r"|\blast\s+(?P<season>spring|summer|autumn|fall|winter)\b",
    re.IGNORECASE,
)
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
"""The month in which each begins, in the north."""
_QUOTES = "\"'\N{LEFT DOUBLE QUOTATION MARK}\N{LEFT SINGLE QUOTATION MARK}"
_TAG = re.compile(rf"\btag(?:ged)?\s+(?:as\s+|with\s+)?[{_QUOTES}]?([\w-]+)", re.IGNORECASE)


def named_filters(question: str, today: date) -> Filters:
    """The verses, the time and the tags that a question names.

    Args:
        today: `last autumn` is the last one that ended before.
    """
    since, until = _time(question, today)
    return Filters(
        since=since,
        until=until,
        tags=tuple(match[1].lower() for match in _TAG.finditer(question)),
        verses=tuple(named_verses(question)),
    )


def _time(question: str, today: date) -> tuple[date | None, date | None]:
    """The first and the last day of the time that the question names first."""
    match = _TIME.search(question)
    if match is None:
        return None, None
    if match["season"]:
        return _last(match["season"].lower(), today)
    year, month = int(match["year"] or match["then"]), match["month"] or match["only"]
    if not month:
        return date(year, 1, 1), date(year, 12, 31)
    return _months(year, _MONTH[month.lower()], 1)


def _last(season: str, today: date) -> tuple[date, date]:
    """The last whole season before `today`."""
    spans = (_months(today.year - back, _SEASONS[season], 3) for back in count())
    return next((first, last) for first, last in spans if last < today)


def _months(year: int, month: int, months: int) -> tuple[date, date]:
    end = month - 1 + months
    after = date(year + end // 12, end % 12 + 1, 1)
    return date(year, month, 1), after - timedelta(days=1)
