"""The share of answers that readers found good, over time, with an interval."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from evals.stats.intervals import Estimate, ratio_of_sums
from rag_core.domain import Feedback, Thumb, UserId, wilson_interval

Period = Literal["day", "week", "month"]
Given = tuple[UserId, Feedback]
"""Who gave it, and what."""


@dataclass(frozen=True, slots=True)
class PeriodScore:
    """The opinions of one period."""

    begins: date
    """In UTC."""
    users: int
    thumbs: int
    up: Estimate
    """Share of the thumbs that point up, 0 to 1."""


def scores(given: Iterable[Given], period: Period) -> list[PeriodScore]:
    """The score of each period in which somebody said something, the oldest first.

    The interval is the wider of two, on each side: Wilson's for so many thumbs, and the bootstrap
    over users, as the thumbs of one reader hang together.
    """
    periods: dict[date, list[tuple[UserId, Thumb]]] = defaultdict(list)
    for user, feedback in given:
        assert feedback.given_at is not None, "it is stored"
        periods[_begin(feedback.given_at, period)].append((user, feedback.thumb))
    return [_score(begins, periods[begins]) for begins in sorted(periods)]


def _score(begins: date, thumbs: list[tuple[UserId, Thumb]]) -> PeriodScore:
    all_of = Counter(user for user, _ in thumbs)
    up_of = Counter(user for user, thumb in thumbs if thumb == "up")
    users = sorted(all_of)
    by_user = ratio_of_sums([up_of[user] for user in users], [all_of[user] for user in users])
    low, high = wilson_interval(by_user.value, len(thumbs))
    up = Estimate(by_user.value, min(low, by_user.low), max(high, by_user.high))
    return PeriodScore(begins, len(users), len(thumbs), up)


def _begin(moment: datetime, period: Period) -> date:
    day = moment.astimezone(UTC).date()
    if period == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if period == "month" else day
