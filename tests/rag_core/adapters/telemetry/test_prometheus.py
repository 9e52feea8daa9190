"""What Prometheus reads: the right numbers under the agreed names, few series, nothing private."""

from __future__ import annotations

import re

import pytest

from rag_core.adapters.telemetry.measures import DERIVED, MAX_SERIES, RECORDED
from rag_core.adapters.telemetry.recorder import QUERY_ROUTE
from rag_core.domain import Flag, Provenance, Usage
from rag_core.events import (
    Answered,
    AttackRefused,
    BreakerChanged,
    CacheLookedUp,
    DaySpent,
    EpochsRead,
    LeakBlocked,
    MoneyHeld,
    MoneySettled,
    PoolWaited,
    ProviderCalled,
    QueryFailed,
    RequestServed,
    RequestShed,
    RequestStarted,
    SearchFellShort,
    StepFinished,
)
from tests.rag_core.adapters.telemetry.metering import Worker
from tests.rag_core.adapters.telemetry.told import classes, every_event

PROCESS_SERIES = 6
"""Memory, CPU and files, by prometheus_client."""

AGREED = {
    *("assistant_query_duration_seconds", "assistant_query_tokens_total", "assistant_errors_total"),
    *("assistant_queries_total", "assistant_cache_hit_rate", "assistant_api_cost_usd"),
    *("assistant_truncations_total", "assistant_no_context_rate", "assistant_generation_failures"),
    *("assistant_rate_limit_hits", "assistant_concurrent_queries"),
    "vector_search_duration_seconds",
}

FRESH = Answered(Provenance.FRESH, "hf", "llama", Usage(1_000, 90), 0.5, 4_000.0)
CACHED = Answered(Provenance.CACHED, "hf", "llama", Usage(), 0.0, 4.0)


def test_the_agreed_names_stand() -> None:
    assert {measure.name for measure in (*RECORDED, *DERIVED)} >= AGREED


def test_there_cannot_be_more_series_than_300() -> None:
    """By adding up what each measure can have."""
    most = sum(measure.max_series for measure in (*RECORDED, *DERIVED))
    assert most + PROCESS_SERIES <= MAX_SERIES


def test_there_are_no_more_series_than_300_whatever_is_told() -> None:
    """Every event with every value, and thousands of names, as a user could make them."""
    worker = Worker()
    worker.tell(*every_event([QUERY_ROUTE, *(f"name {n}" for n in range(40))]))
    series = worker.text(process=True).splitlines()
    assert 200 < len([line for line in series if not line.startswith("#")]) <= MAX_SERIES


def test_every_class_of_events_is_measured() -> None:
    """A new one is given a measure, or named here as one that needs none."""
    for kind in classes():
        worker = Worker()
        before = worker.samples()
        names = [QUERY_ROUTE, "embed"]
        worker.tell(*(event for event in every_event(names) if type(event) is kind))
        assert worker.samples() != before, kind.__name__


def test_no_label_is_a_user_or_a_text() -> None:
    labels = {label.name for measure in RECORDED for label in measure.labels}
    assert labels == {
        *("provenance", "variant", "outcome", "error", "direction", "what", "reason", "level"),
        *("step", "dependency", "provider", "scope", "pool", "status", "route"),
    }


def test_an_answer_is_counted_with_its_time_and_its_tokens() -> None:
    worker = Worker()
    worker.tell(FRESH, CACHED)
    found = worker.samples()
    assert found["assistant_queries_total", "FRESH", "stable"] == 1
    assert found["assistant_queries_total", "FRESH", "canary"] == 0
    assert found["assistant_query_tokens_total", "input"] == 1_000
    assert found["assistant_query_tokens_total", "output"] == 90
    name = "assistant_query_duration_seconds"
    buckets = {key[1]: n for key, n in found.items() if key[::2] == (f"{name}_bucket", "FRESH")}
    assert buckets == {
        **dict.fromkeys(("0.005", "0.05", "0.5", "2.5"), 0),
        **dict.fromkeys(("5.0", "10.0", "30.0", "+Inf"), 1),
    }
    assert found[f"{name}_sum", "FRESH"] == 4.0
    assert found[f"{name}_count", "CACHED"] == 1


def test_a_value_on_a_bound_is_within_it() -> None:
    worker = Worker()
    worker.tell(StepFinished("retrieve", 5.0))
    found = worker.samples()
    assert found["vector_search_duration_seconds_bucket", "0.002"] == 0
    assert found["vector_search_duration_seconds_bucket", "0.005"] == 1


def test_a_canarys_answers_and_failures_are_apart() -> None:
    worker = Worker()
    canary = Answered(Provenance.FRESH, "hf", "llama", Usage(1, 1), 0.0, 2_000.0, (), "canary")
    worker.tell(FRESH, canary, QueryFailed("DeadlineExceeded", 30_000.0, "canary"))
    found = worker.samples()
    name = "assistant_variant_duration_seconds"
    assert found[f"{name}_sum", "answered", "canary"] == 2.0
    assert found[f"{name}_count", "failed", "canary"] == 1
    assert found[f"{name}_count", "answered", "stable"] == 1


@pytest.mark.parametrize(
    ("error", "counted"),
    [
        ("DatabaseUnavailable", "DatabaseUnavailable"),
        ("UnknownUser", "InvalidInput"),
        ("cancelled", "cancelled"),
        ("KeyError", "other"),
    ],
)
def test_a_failure_is_counted_by_its_error(error: str, counted: str) -> None:
    worker = Worker()
    worker.tell(QueryFailed(error, 1.0))
    found = worker.samples()
    assert {k[1]: n for k, n in found.items() if k[0] == "assistant_errors_total" and n} == {
        counted: 1
    }


def test_a_hit_rate_is_of_all_looks_and_there_is_none_before_the_first() -> None:
    worker = Worker()
    assert not [key for key in worker.samples() if key[0] == "assistant_cache_hit_rate"]
    for outcome in ("hit", "revalidated", "stale", "unavailable", "miss"):
        worker.tell(CacheLookedUp("answer", outcome, 500.0, 0.25))  # type: ignore[arg-type]
    found = worker.samples()
    assert found["assistant_cache_hit_rate", "answer"] == 0.75
    assert found["assistant_cache_saved_usd_total",] == 1.25
    assert found["assistant_cache_saved_seconds_total",] == 2.5


def test_the_share_of_answers_without_context() -> None:
    worker = Worker()
    nothing = Answered(Provenance.NO_CONTEXT, "", "", Usage(), 0.0, 9.0)
    worker.tell(FRESH, FRESH, FRESH, nothing)
    assert worker.samples()["assistant_no_context_rate",] == 0.25


def test_truncations_and_refusals() -> None:
    worker = Worker()
    flags = (Flag.QUESTION_TRUNCATED, Flag.OUTPUT_TRUNCATED, Flag.UNCITED)
    worker.tell(Answered(Provenance.FRESH, "hf", "m", Usage(), 0.0, 1.0, flags))
    worker.tell(AttackRefused("persona_jailbreak.dan"), LeakBlocked("hf", "m"))
    found = worker.samples()
    assert found["assistant_truncations_total", "question"] == 1
    assert found["assistant_truncations_total", "output"] == 1
    assert found["assistant_refusals_total", "attack"] == 1
    assert found["assistant_refusals_total", "leak"] == 1


def test_calls_of_providers_by_how_they_ended() -> None:
    worker = Worker()
    worker.tell(
        ProviderCalled("hf", "m", "ok", 900.0),
        ProviderCalled("hf", "m", "ProviderTimeout", 30_000.0),
        ProviderCalled("groq", "m", "cancelled", 100.0, hedge=True),
    )
    found = worker.samples()
    assert found["assistant_provider_duration_seconds_count", "hf"] == 2
    assert found["assistant_generation_failures_total", "hf"] == 1
    assert ("assistant_generation_failures_total", "groq") not in found
    assert found["assistant_provider_errors_total", "ProviderTimeout"] == 1
    assert found["assistant_provider_errors_total", "cancelled"] == 1
    assert found["assistant_hedged_calls_total",] == 1


def test_the_first_names_that_come_have_series_and_the_rest_share_one() -> None:
    worker = Worker()
    worker.tell(*(MoneySettled(f"p{n}", "m", 1.0) for n in range(6)))
    spent = {k[1]: n for k, n in worker.samples().items() if k[0] == "assistant_spend_usd_total"}
    assert spent == {"p0": 1, "p1": 1, "p2": 1, "p3": 1, "other": 2}


def test_a_breakers_state_is_a_number_and_its_openings_are_counted() -> None:
    worker = Worker()
    worker.tell(BreakerChanged("hf", "closed", "open"), BreakerChanged("hf", "open", "half-open"))
    found = worker.samples()
    assert found["assistant_breaker_state", "hf"] == 1
    assert found["assistant_breaker_opened_total", "hf"] == 1


def test_money_is_what_the_books_say() -> None:
    worker = Worker()
    assert ("assistant_api_cost_usd",) not in worker.samples(), "not known yet is not zero"
    worker.tell(DaySpent(81.5, 5.25, 1), MoneyHeld("held"), MoneyHeld("refused", "user"))
    found = worker.samples()
    assert found["assistant_api_cost_usd",] == 81.5
    assert found["assistant_top_user_cost_usd",] == 5.25
    assert found["assistant_users_over_budget",] == 1
    assert found["assistant_holds_total", "held"] == 1
    assert found["assistant_holds_total", "refused_user"] == 1


def test_questions_under_way_are_those_of_one_route() -> None:
    worker = Worker()
    worker.tell(RequestStarted(QUERY_ROUTE), RequestStarted(QUERY_ROUTE), RequestStarted("/notes"))
    worker.tell(RequestServed(QUERY_ROUTE, "POST", 499, 20.0, ""), RequestShed(64))
    found = worker.samples()
    assert found["assistant_concurrent_queries",] == 1
    assert found["assistant_http_responses_total", "499"] == 1
    assert found["assistant_http_request_duration_seconds_sum", QUERY_ROUTE] == 0.02
    assert found["assistant_shed_queries_total",] == 1
    assert found["assistant_concurrency_limit",] == 64


def test_postgres_is_seen_by_its_reads_and_its_waits() -> None:
    worker = Worker()
    worker.tell(EpochsRead(3, 2.0, "ok"), PoolWaited("write", 8.0), SearchFellShort(1, 4))
    found = worker.samples()
    assert found["assistant_epoch_read_seconds_sum", "ok"] == 0.002
    assert found["assistant_epoch_users_total",] == 3
    assert found["assistant_pool_wait_seconds_sum", "write"] == 0.008
    assert found["vector_search_short_results_total",] == 1


def test_every_measure_says_what_it_is_to_a_reader() -> None:
    text = Worker().text()
    for measure in RECORDED:
        assert re.search(rf"# HELP {measure.name.removesuffix('_total')}(_total)? \w", text)
        assert not measure.help.endswith(".")
