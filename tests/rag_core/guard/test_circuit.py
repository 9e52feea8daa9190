"""The state machine: any order of calls, outcomes, killed workers and waiting keeps its rules."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rag_core.errors import ConfigurationError
from rag_core.guard import BreakerRules, Circuit

RULES = BreakerRules()


def failed(times: int, at: float = 0.0, circuit: Circuit | None = None) -> Circuit:
    circuit = circuit or Circuit()
    for _ in range(times):
        circuit = RULES.failed(circuit, at)
    return circuit


def test_the_fifth_failure_within_a_minute_opens_it() -> None:
    assert failed(4).state == "closed"
    assert failed(5).state == "open"


def test_failures_that_just_fit_the_window_open_it_and_wider_ones_do_not() -> None:
    fitting = wider = Circuit()
    for turn in range(5):
        fitting = RULES.failed(fitting, 15.0 * turn)
        wider = RULES.failed(wider, 15.1 * turn)
    assert (fitting.state, wider.state) == ("open", "closed")


def test_no_probe_is_due_before_thirty_seconds_are_over() -> None:
    circuit = failed(5, at=100.0)
    assert not RULES.due(circuit, 129.9)
    assert RULES.due(circuit, 130.0)
    assert RULES.open_for_s(circuit, 112.0) == 18.0


def test_a_clock_that_is_set_back_by_an_hour_does_not_keep_it_open_for_an_hour() -> None:
    assert RULES.due(failed(5, at=3600.0), 1.0)


def test_the_probe_of_a_killed_worker_ends_with_its_lease() -> None:
    circuit = RULES.probe_begun(failed(5), 30.0, "killed")
    assert RULES.probe_begun(circuit, 64.9, "next") == circuit
    taken = RULES.probe_begun(circuit, 65.0, "next")
    assert taken.probe
    assert taken.probe.token == "next"
    assert RULES.probe_failed(taken, 66.0, "killed") == taken
    assert RULES.probe_passed(taken, 66.0, "killed") == taken


def test_what_cannot_work_is_refused_by_name(subtests: pytest.Subtests) -> None:
    for wrong in ({"failures": 0}, {"probes": 0}, {"window_s": 0}, {"open_s": -1}, {"lease_s": 0}):
        with (
            subtests.test(wrong=wrong),
            pytest.raises(ConfigurationError, match=f"breaker {next(iter(wrong))}"),
        ):
            replace(RULES, **wrong)


class CircuitModel(RuleBasedStateMachine):
    """Against the rules in plain words: lists of what happened, looked through from the start."""

    RULES = BreakerRules(failures=3, window_s=10, open_s=5, probes=2, lease_s=7)

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.circuit = Circuit()
        self.failures: list[float] = []
        """Since it closed."""
        self.opened_at = 0.0
        self.state = "closed"
        self.passed = 0
        self.probes: dict[str, float] = {}
        """Under way, lost ones too: token to when it began."""
        self.begun = 0

    def in_flight(self) -> list[str]:
        """Those whose lease has not ended, of the time since it became half-open."""
        return [token for token, began in self.probes.items() if self.now - began < 7]

    @rule(seconds=st.sampled_from([0.5, 1, 4, 4.5, 5, 7, 9, 11]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: self.state == "closed")
    @rule()
    def fail(self) -> None:
        self.circuit = self.RULES.failed(self.circuit, self.now)
        self.failures.append(self.now)
        if sum(self.now - at <= 10 for at in self.failures) >= 3:
            self.open()

    @rule()
    def begin(self) -> None:
        due = self.state == "half-open" or (self.state == "open" and self.now - self.opened_at >= 5)
        granted = due and not self.in_flight()
        token = f"probe-{self.begun}"
        self.begun += 1
        self.circuit = self.RULES.probe_begun(self.circuit, self.now, token)
        assert (self.circuit.probe is not None and self.circuit.probe.token == token) == granted
        if granted:
            if self.state == "open":
                self.passed = 0
            self.state, self.probes = "half-open", {token: self.now}

    @precondition(lambda self: self.probes)
    @rule(outcome=st.sampled_from(["passed", "failed", "abandoned"]))
    def end(self, outcome: str) -> None:
        (token,) = self.probes
        change = getattr(self.RULES, f"probe_{outcome}")
        self.circuit = change(self.circuit, self.now, token)
        self.probes.clear()
        if outcome == "failed":
            return self.open()
        self.passed += outcome == "passed"
        if self.passed == 2:
            self.state, self.failures = "closed", []
        return None

    @rule(outcome=st.sampled_from(["passed", "failed", "abandoned"]))
    def straggle(self, outcome: str) -> None:
        """A call of another time reports."""
        change = getattr(self.RULES, f"probe_{outcome}")
        assert change(self.circuit, self.now, "another") == self.circuit
        if self.state != "closed":
            assert self.RULES.failed(self.circuit, self.now) == self.circuit

    def open(self) -> None:
        self.state, self.opened_at, self.probes = "open", self.now, {}

    @invariant()
    def agrees(self) -> None:
        assert self.circuit.state == self.state
        left_s = self.opened_at + 5 - self.now if self.state == "open" else 0
        assert self.RULES.open_for_s(self.circuit, self.now) == max(0, left_s)


TestCircuitModel = CircuitModel.TestCase
