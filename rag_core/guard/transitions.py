"""The transitions of a breaker as one worker sees them, told as events by way of pybreaker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rag_core.events import BreakerChanged, BreakerState, Listener

if TYPE_CHECKING:
    import pybreaker

_STATES: Final[dict[str, BreakerState]] = {
    "closed": "closed",
    "open": "open",
    "half-open": "half-open",
}


class Transitions:
    """A pybreaker that keeps the state and its listeners, and through which no call is made.

    It holds a lock during a call, counts consecutive failures, keeps its own time and lets any
    number of probes through: those are `rag_core.guard.circuit`'s.
    """

    def __init__(self, name: str, listener: Listener) -> None:
        import pybreaker  # it imports redis where that is installed; most of this room does without

        self._listener = listener
        self._breaker = pybreaker.CircuitBreaker(name=name)
        self._breaker.add_listener(self)  # type: ignore[type-var]  # it is asked for state_change
        self._enter = {
            "closed": self._breaker.close,
            "open": self._breaker.open,
            "half-open": self._breaker.half_open,
        }

    def enter(self, state: BreakerState) -> None:
        """Go to `state`; the listener hears of it if that is another one."""
        if state != self._breaker.current_state:
            self._enter[state]()

    def state_change(
        self,
        breaker: pybreaker.CircuitBreaker,
        before: pybreaker.CircuitBreakerState,
        after: pybreaker.CircuitBreakerState,
    ) -> None:
        """What pybreaker calls with each transition."""
        change = BreakerChanged(str(breaker.name), _STATES[before.name], _STATES[after.name])
        self._listener(change)
