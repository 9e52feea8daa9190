"""What happens to an app, minute by minute, and what Prometheus would have read of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rag_core.clock import ManualClock
from rag_core.domain import Flag, Provenance, Usage
from rag_core.events import (
    Answered,
    BreakerChanged,
    BudgetUsed,
    CacheLookedUp,
    DaySpent,
    DocumentsWaiting,
    Event,
    MoneyHeld,
    QueryFailed,
    RateLimited,
)
from tests.rag_core.adapters.telemetry.metering import Worker

SCRAPE_S = 15
QUESTIONS = 20
"""Asked between two scrapes."""

Tell = Callable[[int], Iterator[Event]]
"""What an app tells before the scrape of that number."""


@dataclass(frozen=True)
class Story:
    """What is told, for how long, and which alert is firing at its end; empty: none."""

    name: str
    tell: Tell
    alert: str = ""
    minutes: int = 12
    up: int = 1


def answered(ms: float = 900.0, flags: tuple[Flag, ...] = ()) -> Answered:
    return Answered(Provenance.FRESH, "hf", "llama", Usage(1_000, 90), 0.0002, ms, flags)


def all_well(scrape: int) -> Iterator[Event]:
    """Questions that are answered, most of them from the cache."""
    for n in range(QUESTIONS):
        yield answered()
        yield CacheLookedUp("answer", "miss" if n % 4 == 0 else "hit")


def some_in(hundred: int, other: Event, usual: Event) -> Tell:
    """Of a hundred questions so many end otherwise, evenly over the scrapes."""

    def tell(scrape: int) -> Iterator[Event]:
        for chosen in _chosen(scrape, hundred):
            yield other if chosen else usual
            yield CacheLookedUp("answer", "hit")

    return tell


def hits(hundred: int) -> Tell:
    """Of a hundred looks into the cache so many find an answer."""

    def tell(scrape: int) -> Iterator[Event]:
        for chosen in _chosen(scrape, hundred):
            yield answered()
            yield CacheLookedUp("answer", "hit" if chosen else "miss")

    return tell


def _chosen(scrape: int, hundred: int) -> Iterator[bool]:
    """For each question of a scrape, whether it is one of so many in a hundred."""
    for n in range(scrape * QUESTIONS, (scrape + 1) * QUESTIONS):
        yield n * hundred // 100 < (n + 1) * hundred // 100


def besides(*events: Event, of_scrape: int = 4) -> Tell:
    """All is well, and once this is told."""

    def tell(scrape: int) -> Iterator[Event]:
        yield from all_well(scrape)
        if scrape == of_scrape:
            yield from events

    return tell


def breaker(open_s: int, closed_after_s: float = float("inf")) -> Tell:
    """From the second minute on it opens, is probed every `open_s`, and closes in the end."""

    def tell(scrape: int) -> Iterator[Event]:
        yield from all_well(scrape)
        since_s = scrape * SCRAPE_S - 60
        if 0 <= since_s < closed_after_s:
            probed = since_s % open_s == open_s - SCRAPE_S
            yield BreakerChanged("hf", "open", "half-open" if probed else "open")
        elif since_s >= closed_after_s:
            yield BreakerChanged("hf", "half-open", "closed")

    return tell


def limited(hundred: int) -> Tell:
    return some_in(hundred, RateLimited("user"), answered())


def cut(what: Flag, hundred: int) -> Tell:
    return some_in(hundred, answered(flags=(what,)), answered())


def _cut(what: Flag) -> Answered:
    return answered(flags=(what,))


def scraped(story: Story) -> dict[str, list[str]]:
    """The values of each series at every scrape; `_` where there was none."""
    clock, found = ManualClock(), dict[str, list[str]]()
    worker = Worker(clock=clock)
    scrapes = story.minutes * 60 // SCRAPE_S + 1
    for scrape in range(scrapes):
        worker.tell(*story.tell(scrape))
        clock.advance(SCRAPE_S)
        for name, value in _samples(worker.text()):
            found.setdefault(name, ["_"] * scrape).append(value)
    found['up{job="assistant",instance="app:8000"}'] = [str(story.up)] * scrapes
    return found


def _samples(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            yield name, value


_FAILED, _SLOW = QueryFailed("DatabaseUnavailable", 30_000.0), answered(12_000.0)
_MISTAKE, _GONE = QueryFailed("InvalidInput", 1.0), QueryFailed("cancelled", 900.0)

STORIES = (
    Story("all is well", all_well, minutes=20),
    Story("an app is down", all_well, "AppDown", up=0),
    Story("8 % fail", some_in(8, _FAILED, answered()), "HighErrorRate"),
    Story("4 % fail", some_in(4, _FAILED, answered())),
    Story("8 % fail, but for 4 minutes only", some_in(8, _FAILED, answered()), minutes=4),
    Story("half of the questions are no questions", some_in(50, _MISTAKE, answered())),
    Story("half of the callers go away", some_in(50, _GONE, answered())),
    Story("2 % take 12 s", some_in(2, _SLOW, answered()), "SlowAnswers"),
    Story("all take 9.9 s", some_in(0, _SLOW, answered(9_900.0))),
    Story("a breaker opens, and each probe fails", breaker(30), "BreakerOpen"),
    Story("a breaker is open for 4 minutes", breaker(30, 240.0)),
    Story("the day has cost $101", besides(DaySpent(101.0, 4.0, 0)), "DailyCostHigh"),
    Story("the day has cost $99", besides(DaySpent(99.0, 4.0, 0), BudgetUsed(0.98))),
    Story(
        "a smaller budget is spent",
        besides(DaySpent(19.9, 4.0, 0), BudgetUsed(1.0)),
        "DailyCostHigh",
    ),
    Story("paid calls are switched off", besides(DaySpent(0.0, 0.0, 0), BudgetUsed(1.0))),
    Story("40 % hits", hits(40), "LowCacheHitRate", minutes=20),
    Story("60 % hits", hits(60), minutes=20),
    Story("15 % are limited", some_in(15, RateLimited("user"), answered()), "ManyRateLimitHits"),
    Story("8 % are limited", some_in(8, RateLimited("all"), answered())),
    Story("25 % are cut", some_in(25, _cut(Flag.OUTPUT_TRUNCATED), answered()), "ManyTruncations"),
    Story("15 % are cut", some_in(15, _cut(Flag.OUTPUT_TRUNCATED), answered())),
    Story(
        "25 % ask too long",
        some_in(25, _cut(Flag.QUESTION_TRUNCATED), answered()),
        "ManyTruncations",
    ),
    Story(
        "a document has waited for 11 minutes",
        besides(DocumentsWaiting(1, 660.0)),
        "DocumentsWaitLong",
    ),
    Story(
        "a thousand documents wait, the first for 9 minutes",
        besides(DocumentsWaiting(1_000, 540.0)),
    ),
    Story("a user has spent $5.01", besides(DaySpent(9.0, 5.01, 0)), "UserOverBudget"),
    Story("a user has spent all of $3", besides(DaySpent(9.0, 2.99, 1)), "UserOverBudget"),
    Story("nobody has spent $5", besides(DaySpent(90.0, 4.9, 0), MoneyHeld("held"))),
    Story(
        "a user is refused", besides(MoneyHeld("refused", "user"), of_scrape=40), "UserOverBudget"
    ),
)
