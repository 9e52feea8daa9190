"""The breaker's state machine, pure: a frozen state, and what each event makes of it at a time.

    closed ── `failures` within `window_s` ──> open ── after `open_s`, the first probe ──> half-open
    half-open ── `probes` good ones in a row ──> closed          half-open ── a bad one ──> open

Half-open, at most one probe is under way. It holds a lease, which ends if its worker is killed.
Times are seconds of whichever clock the state is kept by. Each is compared by its distance, so that
a clock that is set back delays a transition by no more than the transition takes anyway.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from rag_core.errors import ConfigurationError
from rag_core.events import BreakerState


@dataclass(frozen=True, slots=True)
class Probe:
    """A call that is let through to see whether the dependency works again."""

    token: str
    begun_at: float
    """In seconds."""


@dataclass(frozen=True, slots=True)
class Circuit:
    """The state of a breaker; as it is built, that of one that was never used."""

    state: BreakerState = "closed"
    since: float = 0.0
    """When the state was entered, in seconds: of two circuits of a breaker the later is true."""
    failed_at: tuple[float, ...] = ()
    """Failures within the window, while closed."""
    passed: int = 0
    """The number of good probes, while half-open."""
    probe: Probe | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerRules:
    """When a breaker opens, for how long, and what closes it.

    Args:
        failures: this number within `window_s` opens it.
        window_s: seconds, rolling.
        open_s: seconds until the first probe.
        probes: this number of good ones in a row closes it.
        lease_s: seconds after which a probe is taken for lost: more than any call may take.

    Raises:
        ConfigurationError: a value is out of range.
    """

    failures: int = 5
    window_s: float = 60.0
    open_s: float = 30.0
    probes: int = 3
    lease_s: float = 35.0

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self)):
            value = getattr(self, name)
            least, fits = ("> 0", value > 0) if name.endswith("_s") else (">= 1", value >= 1)
            if not fits:
                raise ConfigurationError(f"breaker {name}", f"must be {least}, got {value!r}")

    def failed(self, circuit: Circuit, now_s: float) -> Circuit:
        """A call failed that was let through while `circuit` was closed."""
        if circuit.state != "closed":
            return circuit
        recent = [at for at in circuit.failed_at if abs(now_s - at) <= self.window_s]
        if len(recent) + 1 >= self.failures:
            return Circuit("open", since=now_s)
        return replace(circuit, failed_at=(*recent, now_s))

    def due(self, circuit: Circuit, now_s: float) -> bool:
        """Whether a probe may begin."""
        if circuit.state == "open":
            return abs(now_s - circuit.since) >= self.open_s
        return circuit.state == "half-open" and not self._probing(circuit, now_s)

    def probe_begun(self, circuit: Circuit, now_s: float, token: str) -> Circuit:
        """Somebody wants to probe; it is his who has the token in the circuit then."""
        if not self.due(circuit, now_s):
            return circuit
        if circuit.state == "open":
            circuit = Circuit("half-open", since=now_s)
        return replace(circuit, probe=Probe(token, now_s))

    def probe_passed(self, circuit: Circuit, now_s: float, token: str) -> Circuit:
        """The probe with this token went well; of no matter once its lease went to another."""
        if circuit.probe is None or circuit.probe.token != token:
            return circuit
        if circuit.passed + 1 >= self.probes:
            return Circuit("closed", since=now_s)
        return replace(circuit, passed=circuit.passed + 1, probe=None)

    def probe_failed(self, circuit: Circuit, now_s: float, token: str) -> Circuit:
        """The probe with this token failed; of no matter once its lease went to another."""
        if circuit.probe is None or circuit.probe.token != token:
            return circuit
        return Circuit("open", since=now_s)

    def probe_abandoned(self, circuit: Circuit, now_s: float, token: str) -> Circuit:
        """The probe with this token ended before it could tell anything."""
        if circuit.probe is None or circuit.probe.token != token:
            return circuit
        return replace(circuit, probe=None)

    def open_for_s(self, circuit: Circuit, now_s: float) -> float:
        """Seconds until an open breaker lets a probe through; 0 in any other state."""
        if circuit.state != "open":
            return 0.0
        return max(0.0, self.open_s - abs(now_s - circuit.since))

    def _probing(self, circuit: Circuit, now_s: float) -> bool:
        probe = circuit.probe
        return probe is not None and abs(now_s - probe.begun_at) < self.lease_s


def newer(ours: Circuit, theirs: Circuit, now_s: float) -> Circuit:
    """The later one of two circuits of one breaker; theirs, when ours is of a time to come."""
    return ours if theirs.since < ours.since <= now_s else theirs
