"""A time allowance that all Redis work of one request shares."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Allowance:
    """Seconds that the calls made within `applied` blocks may take together."""

    def __init__(self, seconds: float) -> None:
        self.left_s = seconds
        self.failed = False
        """Whether a call charged to it failed."""

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Charge the calls made within the block to this allowance."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)


_current: ContextVar[Allowance | None] = ContextVar("allowance", default=None)


def seconds_left(default: float) -> float:
    """What is left for the next call; `default` outside of any allowance."""
    current = _current.get()
    return default if current is None else current.left_s


def spend(seconds: float) -> None:
    """Take what a call used from the allowance around it."""
    current = _current.get()
    if current is not None:
        current.left_s = max(0.0, current.left_s - seconds)


def note_failure() -> None:
    """Remember in the allowance around it that a call failed."""
    current = _current.get()
    if current is not None:
        current.failed = True


def has_failed() -> bool:
    """Whether a call charged to the allowance around it failed."""
    current = _current.get()
    return current is not None and current.failed
