"""Events become measurements: which of them adds what to which measure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from rag_core import events as e
from rag_core.adapters.telemetry import measures as m
from rag_core.adapters.telemetry.measure import OTHER, Measure
from rag_core.domain.answer import Flag

QUERY_ROUTE = "/assistant/query"
"""The route whose requests are questions."""

Add = Callable[..., None]
"""Takes a number and the values of the labels: adds it, observes it, or sets the gauge to it."""

Records = Mapping[type, Callable[[Any], None]]
"""What is done for the events of each class."""

_BREAKER = {"closed": 0.0, "half-open": 1.0, "open": 2.0}
_STEPS = frozenset(m.STEP_SECONDS.labels[0].values)


class Meter(Protocol):
    """Where measurements go."""

    def instrument(self, measure: Measure) -> Add:
        """What takes the measurements of `measure`."""
        ...


class Recorder:
    """A listener that measures; what it does for an event takes a few microseconds."""

    def __init__(self, meter: Meter) -> None:
        self._records: dict[type, Callable[[Any], None]] = {}
        for subject in (_Answers, _Steps, _Lookups, _Providers, _Money, _Postgres, _Requests):
            self._records |= subject(meter).records

    def __call__(self, event: e.Event) -> None:
        """Measure what the event says; most events are of a few classes."""
        record = self._records.get(type(event))
        if record is not None:
            record(event)


class _Answers:
    def __init__(self, meter: Meter) -> None:
        self._queries = meter.instrument(m.QUERIES)
        self._seconds = meter.instrument(m.QUERY_SECONDS)
        self._of_variant = meter.instrument(m.VARIANT_SECONDS)
        self._tokens = meter.instrument(m.TOKENS)
        self._truncations = meter.instrument(m.TRUNCATIONS)
        self._errors = meter.instrument(m.ERRORS)
        self._refusals = meter.instrument(m.REFUSALS)
        self.records: Records = {
            e.Answered: self._answered,
            e.QueryFailed: self._failed,
            e.AttackRefused: lambda event: self._refusals(1, "attack"),
            e.LeakBlocked: lambda event: self._refusals(1, "leak"),
        }

    def _answered(self, event: e.Answered) -> None:
        seconds = event.total_ms / 1000
        self._queries(1, event.provenance, event.variant)
        self._seconds(seconds, event.provenance)
        self._of_variant(seconds, event.variant, "answered")
        if event.usage.input_tokens:
            self._tokens(event.usage.input_tokens, "input")
            self._tokens(event.usage.output_tokens, "output")
        if event.flags:
            self._flagged(event.flags)

    def _flagged(self, flags: tuple[Flag, ...]) -> None:
        if Flag.QUESTION_TRUNCATED in flags:
            self._truncations(1, "question")
        if Flag.OUTPUT_TRUNCATED in flags:
            self._truncations(1, "output")

    def _failed(self, event: e.QueryFailed) -> None:
        self._errors(1, event.error)
        self._of_variant(event.total_ms / 1000, event.variant, "failed")


class _Steps:
    def __init__(self, meter: Meter) -> None:
        self._seconds = meter.instrument(m.STEP_SECONDS)
        self._search_seconds = meter.instrument(m.SEARCH_SECONDS)
        short = meter.instrument(m.SHORT_SEARCHES)
        self.records: Records = {
            e.StepFinished: self._finished,
            e.SearchFellShort: lambda event: short(1),
        }

    def _finished(self, event: e.StepFinished) -> None:
        if event.step in _STEPS:
            self._seconds(event.elapsed_ms / 1000, event.step)
        elif event.step == "retrieve":
            self._search_seconds(event.elapsed_ms / 1000)


class _Lookups:
    def __init__(self, meter: Meter) -> None:
        self._lookups = meter.instrument(m.LOOKUPS)
        self._saved_seconds = meter.instrument(m.SAVED_SECONDS)
        self._saved_usd = meter.instrument(m.SAVED_USD)
        self.records: Records = {e.CacheLookedUp: self._looked_up}

    def _looked_up(self, event: e.CacheLookedUp) -> None:
        self._lookups(1, event.level, event.outcome)
        if event.saved_ms:
            self._saved_seconds(event.saved_ms / 1000)
        if event.saved_usd:
            self._saved_usd(event.saved_usd)


class _Providers:
    def __init__(self, meter: Meter) -> None:
        self._seconds = meter.instrument(m.PROVIDER_SECONDS)
        self._failures = meter.instrument(m.GENERATION_FAILURES)
        self._errors = meter.instrument(m.PROVIDER_ERRORS)
        self._hedges = meter.instrument(m.HEDGES)
        self._breaker = meter.instrument(m.BREAKER)
        self._opened = meter.instrument(m.OPENED)
        self.records: Records = {
            e.ProviderCalled: self._called,
            e.BreakerChanged: self._changed,
        }

    def _called(self, event: e.ProviderCalled) -> None:
        self._seconds(event.elapsed_ms / 1000, event.provider)
        if event.hedge:
            self._hedges(1)
        if event.outcome == "ok":
            return
        self._errors(1, event.outcome)
        if event.outcome != "cancelled":
            self._failures(1, event.provider)

    def _changed(self, event: e.BreakerChanged) -> None:
        self._breaker(_BREAKER[event.after], event.dependency)
        if event.after == "open":
            self._opened(1, event.dependency)


class _Money:
    def __init__(self, meter: Meter) -> None:
        self._spend = meter.instrument(m.SPEND)
        self._holds = meter.instrument(m.HOLDS)
        self._used = meter.instrument(m.BUDGET_USED)
        self._day = meter.instrument(m.DAY_COST)
        self._top_user = meter.instrument(m.TOP_USER_COST)
        self._over = meter.instrument(m.USERS_OVER)
        alerts, undelivered = map(meter.instrument, (m.BUDGET_ALERTS, m.UNDELIVERED))
        self.records: Records = {
            e.MoneySettled: lambda event: self._spend(event.cost_usd, event.provider),
            e.MoneyHeld: self._held,
            e.BudgetUsed: lambda event: self._used(event.share),
            e.DaySpent: self._day_spent,
            e.AlertRaised: lambda event: alerts(1, event.scope),
            e.AlertUndelivered: lambda event: undelivered(1),
        }

    def _held(self, event: e.MoneyHeld) -> None:
        refused = event.outcome == "refused"
        self._holds(1, f"refused_{event.scope}" if refused else event.outcome)

    def _day_spent(self, event: e.DaySpent) -> None:
        self._day(event.all_usd)
        self._top_user(event.top_user_usd)
        self._over(event.users_over)


class _Postgres:
    def __init__(self, meter: Meter) -> None:
        self._seconds = meter.instrument(m.EPOCH_SECONDS)
        self._users = meter.instrument(m.EPOCH_USERS)
        self._waiting = meter.instrument(m.DOCUMENTS_WAITING)
        self._oldest = meter.instrument(m.DOCUMENTS_OLDEST)
        waits = meter.instrument(m.POOL_SECONDS)
        self.records: Records = {
            e.EpochsRead: self._read,
            e.PoolWaited: lambda event: waits(event.elapsed_ms / 1000, event.pool),
            e.DocumentsWaiting: self._wait_to_be_read,
        }

    def _wait_to_be_read(self, event: e.DocumentsWaiting) -> None:
        self._waiting(event.versions)
        self._oldest(event.oldest_s)

    def _read(self, event: e.EpochsRead) -> None:
        self._seconds(event.elapsed_ms / 1000, event.outcome)
        self._users(event.users)


class _Requests:
    def __init__(self, meter: Meter) -> None:
        self._in_flight = meter.instrument(m.IN_FLIGHT)
        self._responses = meter.instrument(m.RESPONSES)
        self._seconds = meter.instrument(m.HTTP_SECONDS)
        self._shed = meter.instrument(m.SHED)
        self._limit = meter.instrument(m.CONCURRENCY_LIMIT)
        limited, unknown = map(meter.instrument, (m.RATE_LIMITED, m.LIMITS_UNKNOWN))
        keys = meter.instrument(m.SIGNING_KEYS)
        self.records: Records = {
            e.RequestStarted: self._started,
            e.RequestServed: self._served,
            e.RateLimited: lambda event: limited(1, event.scope),
            e.RequestShed: self._turned_away,
            e.SigningKeysFetched: lambda event: keys(1, _ok_or_failed(event.outcome)),
            e.RateLimitsUnknown: lambda event: unknown(1),
        }

    def _started(self, event: e.RequestStarted) -> None:
        if event.route == QUERY_ROUTE:
            self._in_flight(1)

    def _served(self, event: e.RequestServed) -> None:
        if event.route == QUERY_ROUTE:
            self._in_flight(-1)
        self._responses(1, _STATUSES.get(event.status) or f"{event.status // 100}xx")
        self._seconds(event.elapsed_ms / 1000, event.route or OTHER)

    def _turned_away(self, event: e.RequestShed) -> None:
        self._shed(1)
        self._limit(event.limit)


def _ok_or_failed(outcome: str) -> str:
    return "ok" if outcome == "ok" else "failed"


_STATUSES = {int(each): each for each in m.RESPONSES.labels[0].values if each.isdigit()}
"""Those that have a series of their own."""
