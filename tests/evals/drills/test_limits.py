"""Numbers of a hypothesis: each is read off what happened, and names itself where it is missed."""

from __future__ import annotations

import pytest

from evals.drills.limit import Limit
from evals.drills.limits import (
    answered,
    calls_in_trouble,
    calls_once_open,
    degraded_quality,
    ended_as,
    given_again,
    only_unavailable,
    p99_once_open,
    past_cap,
    recovered,
    slowest_by_provider,
    taken_back,
    unbooked,
    unmarked,
)
from evals.drills.own_postgres import Books
from evals.drills.quality import CITATIONS, FACTS, Compared
from evals.drills.result import verdict
from evals.drills.run import DrillRun
from rag_core.domain import Flag, Provenance
from tests.evals.drills.held import called, changed, ended, held

CACHED, DEGRADED, FRESH = Provenance.CACHED, Provenance.DEGRADED, Provenance.FRESH
OPENED = changed(2.0, "closed", "open")


def value(limit: Limit, run: DrillRun) -> float | None:
    return limit.finding(run).value


def test_errors_are_shares_of_all_requests() -> None:
    run = held(requests=[ended(0.5), ended(1.5, None, error="ProviderTimeout")])
    assert value(answered(), run) == 0.5
    assert not answered().finding(run).met
    assert answered(0.5).finding(run).met


def test_a_503_is_no_other_error() -> None:
    limit = only_unavailable()
    assert value(limit, held(requests=[ended(1.5, None, error="DatabaseUnavailable")])) == 0
    assert value(limit, held(requests=[ended(1.5, None, error="ConfigurationError")])) == 1


def test_the_p99_once_open_is_of_requests_sent_after_it_opened_and_before_the_recovery() -> None:
    requests = [ended(1.5, ms=900), ended(2.5, DEGRADED, ms=50), ended(3.5, ms=800)]
    assert value(p99_once_open(), held(requests=requests, told=[OPENED])) == pytest.approx(50)
    assert value(p99_once_open(), held(requests=requests)) is None


def test_probes_may_be_left_out_of_it() -> None:
    probe, other = ended(2.5, DEGRADED, ms=600), ended(2.6, DEGRADED, ms=50)
    told = [OPENED, called(2.6, probe, "ProviderTimeout"), called(2.6, other, "BreakerOpen")]
    run = held(requests=[probe, other], told=told)
    assert value(p99_once_open(probes=False), run) == pytest.approx(50)
    assert value(p99_once_open(), run) == pytest.approx(600, rel=0.02)


def test_the_first_moment_after_it_opened_may_be_left_out() -> None:
    run = held(requests=[ended(2.1, ms=300), ended(2.6, ms=20)], told=[OPENED])
    assert value(p99_once_open(settled_s=0.5), run) == pytest.approx(20)


def test_calls_once_open_are_those_beyond_one_for_each_half_open() -> None:
    told = [OPENED, changed(2.5, "open", "half-open"), changed(2.6, "half-open", "open")]
    billed = [(0.0, 0, 0.0), (1.9, 5, 0.0), (2.1, 5, 0.0), (3.0, 6, 0.0), (3.5, 9, 0.0)]
    assert value(calls_once_open(), held(told=told, billed=billed)) == 0
    assert value(calls_once_open(), held(told=[OPENED], billed=billed)) == 1
    assert value(calls_once_open(), held(billed=billed)) is None


def test_calls_in_the_trouble_are_counted_to_its_end() -> None:
    billed = [(0.0, 0, 0.0), (1.1, 2, 0.0), (3.0, 6, 0.0), (3.5, 9, 0.0)]
    assert value(calls_in_trouble(most=0), held(billed=billed)) == 4
    assert value(calls_in_trouble(), held(billed=billed)) == 0


def test_waits_are_counted_beyond_the_timeout() -> None:
    run = held(requests=[ended(1.5, DEGRADED, ms=5_000)])
    over_ms = 5_000 - 1_000 * run.scale.provider_timeout_s
    assert value(slowest_by_provider(), run) == pytest.approx(over_ms)


def test_the_recovery_is_the_first_such_answer_after_the_trouble() -> None:
    requests = [ended(1.5), ended(3.2, DEGRADED), ended(3.5, ms=100), ended(3.9)]
    assert value(recovered(1.0), held(requests=requests)) == pytest.approx(0.6)
    assert value(recovered(1.0), held(requests=requests[:2])) is None


def test_a_breaker_is_taken_back_when_it_closes_after_the_trouble() -> None:
    told = [changed(2.0, "closed", "open", "redis"), changed(3.25, "open", "closed", "redis")]
    assert value(taken_back("redis", 1.0), held(told=told)) == pytest.approx(0.25)
    assert value(taken_back("redis", 1.0), held(told=told[:1])) is None


def test_only_what_began_and_ended_in_the_trouble_counts_as_its_answers() -> None:
    requests = [ended(0.9, DEGRADED, ms=500), ended(1.5, DEGRADED), ended(2.9, DEGRADED, ms=500)]
    assert value(ended_as(DEGRADED, most=0), held(requests=requests)) == 1


def test_a_cut_answer_says_so_and_is_not_kept() -> None:
    marked = ended(1.5, flags=[Flag.BROKEN_OFF])
    assert value(unmarked(), held(requests=[marked])) == 0
    assert value(unmarked(), held(requests=[ended(1.5)])) == 1
    kept = ended(3.5, CACHED, flags=[Flag.BROKEN_OFF])
    assert value(unmarked(), held(requests=[marked, kept])) == 1


def test_answers_of_the_trouble_that_come_again_are_counted() -> None:
    requests = [ended(1.5, text="Wrong."), ended(3.5, CACHED, text="Wrong."), ended(3.6, CACHED)]
    assert value(given_again(1), held(requests=requests)) == 1


def test_money_is_what_postgres_says() -> None:
    billed = [(0.0, 0, 0.0), (4.0, 9, 0.003)]
    assert value(unbooked(), held(billed=billed, books=Books({"stub": 0.002}, 0.002))) == 0.001
    assert value(unbooked(), held(billed=billed, books=Books({"stub": 0.004}, 0.004))) == 0
    assert value(past_cap(0.5), held(books=Books({"stub": 0.1, "other": 0.5}, 0.6))) == (
        pytest.approx(0.1)
    )
    assert value(unbooked(), held(billed=billed)) is None


def test_the_worst_measure_of_degraded_answers_counts_whichever_way_it_is_off() -> None:
    run = held()
    near, far = Compared(CITATIONS, 0.5, 0.51, 9), Compared(FACTS, 0.3, 0.25, 9)
    object.__setattr__(run, "quality", {str(DEGRADED): [near, far]})
    assert value(degraded_quality(), run) == pytest.approx(5)


def test_a_verdict_names_the_number_that_failed_and_what_was_not_measured_fails() -> None:
    good = held(answered(), requests=[ended(0.5)])
    assert "as supposed" in verdict(good)
    assert "NOT" not in verdict(good)
    bad = held(answered(), recovered(1.0), requests=[ended(1.5, None, error="X")])
    said = verdict(bad)
    assert answered().name in said
    assert recovered(1.0).name in said
