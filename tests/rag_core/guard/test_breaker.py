"""The breaker: opens on failures close together, and lets a few probes decide when to close."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rag_core.clock import ManualClock
from rag_core.errors import ConfigurationError
from rag_core.guard.breaker import Breaker


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def breaker(clock: ManualClock) -> Breaker:
    return Breaker("provider", clock=clock)


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        assert breaker.admit()
        breaker.failed()


def opened(breaker: Breaker, clock: ManualClock, *, for_s: float = 0.0) -> None:
    fail(breaker, 5)
    clock.advance(for_s)


def test_it_opens_at_the_fifth_failure_and_admits_nothing(breaker: Breaker) -> None:
    fail(breaker, 4)
    assert breaker.state == "closed"
    fail(breaker, 1)
    assert breaker.state == "open"
    assert not breaker.admit()


def test_successes_between_failures_do_not_hide_them(breaker: Breaker) -> None:
    for _ in range(5):
        breaker.succeeded()
        fail(breaker, 1)
    assert breaker.state == "open"


def test_failures_spread_wider_than_the_window_do_not_open_it(
    breaker: Breaker, clock: ManualClock
) -> None:
    for _ in range(50):
        fail(breaker, 1)
        clock.advance(15.1)
    assert breaker.state == "closed"


def test_failures_that_just_fit_the_window_open_it(breaker: Breaker, clock: ManualClock) -> None:
    for _ in range(4):
        fail(breaker, 1)
        clock.advance(15)
    fail(breaker, 1)
    assert breaker.state == "open"


def test_it_says_how_long_to_wait(breaker: Breaker, clock: ManualClock) -> None:
    assert breaker.retry_after_s() == 0
    opened(breaker, clock)
    assert breaker.retry_after_s() == 30
    clock.advance(12)
    assert breaker.retry_after_s() == 18
    clock.advance(40)
    assert breaker.retry_after_s() == 0
    assert breaker.admit()
    assert breaker.retry_after_s() == 0


def test_it_stays_open_until_its_time_is_up(breaker: Breaker, clock: ManualClock) -> None:
    opened(breaker, clock, for_s=29.9)
    assert not breaker.admit()
    assert breaker.state == "open"
    clock.advance(0.1)
    assert breaker.admit()
    assert breaker.state == "half-open"


def test_half_open_it_admits_three_probes_and_no_more(breaker: Breaker, clock: ManualClock) -> None:
    opened(breaker, clock, for_s=30)
    assert [breaker.admit() for _ in range(5)] == [True, True, True, False, False]


def test_a_probe_that_went_well_does_not_make_room_for_a_fourth(
    breaker: Breaker, clock: ManualClock
) -> None:
    opened(breaker, clock, for_s=30)
    assert all(breaker.admit() for _ in range(3))
    breaker.succeeded()
    assert not breaker.admit()


def test_three_good_probes_close_it_with_a_clean_slate(
    breaker: Breaker, clock: ManualClock
) -> None:
    opened(breaker, clock, for_s=30)
    for _ in range(3):
        assert breaker.state != "closed"
        assert breaker.admit()
        breaker.succeeded()
    assert breaker.state == "closed"
    fail(breaker, 4)
    assert breaker.state == "closed"


def test_one_bad_probe_opens_it_for_the_whole_time_again(
    breaker: Breaker, clock: ManualClock
) -> None:
    opened(breaker, clock, for_s=30)
    assert breaker.admit()
    breaker.succeeded()
    fail(breaker, 1)
    assert breaker.state == "open"
    assert breaker.retry_after_s() == 30


def test_an_abandoned_probe_makes_room_for_another(breaker: Breaker, clock: ManualClock) -> None:
    opened(breaker, clock, for_s=30)
    assert all(breaker.admit() for _ in range(3))
    breaker.abandoned()
    assert breaker.admit()
    assert not breaker.admit()


def test_calls_that_were_admitted_before_it_opened_do_not_keep_it_open_longer(
    breaker: Breaker, clock: ManualClock
) -> None:
    assert all(breaker.admit() for _ in range(10))
    for _ in range(5):
        breaker.failed()
    clock.advance(29)
    for _ in range(5):
        breaker.failed()
    assert breaker.retry_after_s() == 1


def test_a_success_from_before_it_opened_is_no_good_probe(
    breaker: Breaker, clock: ManualClock
) -> None:
    breaker.admit()
    opened(breaker, clock, for_s=30)
    breaker.admit()
    breaker.abandoned()
    breaker.succeeded()
    breaker.abandoned()
    assert [breaker.admit() for _ in range(4)] == [True, True, True, False]
    breaker.succeeded()
    breaker.succeeded()
    assert breaker.state == "half-open"


def test_what_cannot_work_is_refused_by_name(clock: ManualClock, subtests: pytest.Subtests) -> None:
    for wrong in [{"failures": 0}, {"probes": 0}, {"window_s": 0}, {"open_s": -1.0}]:
        with (
            subtests.test(wrong=wrong),
            pytest.raises(ConfigurationError, match=f"provider breaker {next(iter(wrong))}"),
        ):
            Breaker("provider", clock=clock, **wrong)


class BreakerModel(RuleBasedStateMachine):
    """Any order of admissions, outcomes and waiting, against the rules in plain words."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock(0.0)
        self.breaker = Breaker(
            "model", clock=self.clock, failures=3, window_s=10, open_s=5, probes=2
        )
        self.state = "closed"
        self.failed_at: list[float] = []
        self.opened_at = 0.0
        self.calls = 0
        """Under way since the breaker was closed."""
        self.probes = 0
        """Under way since it became half-open."""
        self.passed = 0

    @rule(seconds=st.sampled_from([0.5, 1, 4, 4.5, 5, 9, 11]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule()
    def admit(self) -> None:
        if self.state == "open" and self.clock.now() - self.opened_at >= 5:
            self.state, self.probes, self.passed = "half-open", 0, 0
        allowed = self.state == "closed" or (
            self.state == "half-open" and self.probes + self.passed < 2
        )
        assert self.breaker.admit() == allowed
        if allowed and self.state == "closed":
            self.calls += 1
        elif allowed:
            self.probes += 1

    @precondition(lambda self: self.probes or (self.state == "closed" and self.calls))
    @rule()
    def succeed(self) -> None:
        self.breaker.succeeded()
        if self.state == "closed":
            self.calls = max(0, self.calls - 1)
        elif self.state == "half-open":
            self.probes, self.passed = self.probes - 1, self.passed + 1
            if self.passed == 2:
                self.state, self.failed_at, self.probes = "closed", [], 0

    @precondition(lambda self: self.probes or (self.state == "closed" and self.calls))
    @rule()
    def fail(self) -> None:
        self.breaker.failed()
        now = self.clock.now()
        self.failed_at.append(now)
        full = len(self.failed_at) >= 3 and now - self.failed_at[-3] <= 10
        if self.state == "half-open" or full:
            self.state, self.opened_at, self.probes = "open", now, 0
        self.calls = max(0, self.calls - 1)

    @precondition(lambda self: self.probes)
    @rule()
    def abandon(self) -> None:
        self.breaker.abandoned()
        self.probes -= 1

    @invariant()
    def agrees(self) -> None:
        assert self.breaker.state == self.state
        left = self.opened_at + 5 - self.clock.now() if self.state == "open" else 0
        assert self.breaker.retry_after_s() == max(0, left)


TestBreakerModel = BreakerModel.TestCase
