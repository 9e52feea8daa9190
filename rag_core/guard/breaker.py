"""A circuit breaker with a failure window, an injected clock and a limited number of probes.

pybreaker keeps the state and its listeners. It counts consecutive failures, keeps its own time,
holds a lock during the call and lets any number of probes through; those four are done here.
"""

from __future__ import annotations

from collections import deque

import pybreaker

from rag_core.clock import Clock
from rag_core.errors import ConfigurationError


class Breaker:
    """Closed until `failures` happen within `window_s`; open for `open_s`; then `probes` decide.

    Ask `admit()` before a call and report `succeeded()` or `failed()` after it. The call itself
    never runs inside the breaker, so no lock is held while waiting.
    """

    def __init__(
        self,
        name: str,
        *,
        clock: Clock,
        failures: int = 5,
        window_s: float = 60.0,
        open_s: float = 30.0,
        probes: int = 3,
    ) -> None:
        for setting, value in (("failures", failures), ("probes", probes)):
            if value < 1:
                raise ConfigurationError(f"{name} breaker {setting}", f"must be >= 1, got {value}")
        for setting, seconds in (("window_s", window_s), ("open_s", open_s)):
            if seconds <= 0:
                raise ConfigurationError(f"{name} breaker {setting}", f"must be > 0, got {seconds}")
        self.name = name
        self._clock = clock
        self._failures, self._window_s = failures, window_s
        self._open_s, self._probes = open_s, probes
        self._failed_at: deque[float] = deque(maxlen=failures)
        self._opened_at = 0.0
        self._probing = self._passed = 0
        self._storage = pybreaker.CircuitMemoryStorage(pybreaker.STATE_CLOSED)
        self._breaker = pybreaker.CircuitBreaker(name=name, state_storage=self._storage)

    @property
    def state(self) -> str:
        """`closed`, `open` or `half-open`."""
        return self._storage.state

    def admit(self) -> bool:
        """Whether a call may go ahead now. An open breaker whose time is up becomes half-open."""
        if self._storage.state == pybreaker.STATE_CLOSED:
            return True
        if self._storage.state == pybreaker.STATE_OPEN:
            if self._clock.monotonic() - self._opened_at < self._open_s:
                return False
            self._breaker.half_open()
            self._probing = self._passed = 0
        if self._probing + self._passed >= self._probes:
            return False
        self._probing += 1
        return True

    def retry_after_s(self) -> float:
        """Seconds until an open breaker lets a probe through; 0 when it is not open."""
        if self._storage.state != pybreaker.STATE_OPEN:
            return 0.0
        return max(0.0, self._opened_at + self._open_s - self._clock.monotonic())

    def succeeded(self) -> None:
        """An admitted call went well; enough good probes close the breaker."""
        if self._storage.state != pybreaker.STATE_HALF_OPEN or not self._probing:
            return  # admitted long ago, when the breaker was closed: says nothing of today
        self._probing -= 1
        self._passed += 1
        if self._passed >= self._probes:
            self._failed_at.clear()
            self._breaker.close()

    def failed(self) -> None:
        """An admitted call failed; opens the breaker at once when it was a probe."""
        if self._storage.state == pybreaker.STATE_OPEN:
            return  # a straggler must not keep it open for longer
        now = self._clock.monotonic()
        self._failed_at.append(now)
        full = len(self._failed_at) == self._failures
        if self._storage.state == pybreaker.STATE_HALF_OPEN or (
            full and now - self._failed_at[0] <= self._window_s
        ):
            self._opened_at = now
            self._breaker.open()

    def abandoned(self) -> None:
        """An admitted call was cancelled before it could tell anything."""
        if self._storage.state == pybreaker.STATE_HALF_OPEN and self._probing:
            self._probing -= 1
