"""What became of the calls: how many, how many at once, and the tokens that they cost."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec


class Calls(msgspec.Struct):
    """Counts since the start, or since DELETE /control/calls.

    `total` counts calls, `in_flight` the calls at this moment, `most_in_flight` the calls at once;
    `answered` counts those whose whole reply was sent, errors included, `left_early` those whose
    caller closed the connection before, and `cut` those whose connection the stub closed before.
    """

    total: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    answered: int = 0
    left_early: int = 0
    cut: int = 0
    input_tokens: int = 0
    """Tokens billed for what was sent: of each call that was answered 200, whole or in part."""
    output_tokens: int = 0
    """Tokens billed for what was written, up to where a stream ended."""
    by_status: dict[int, int] = {}
    by_behaviour: dict[str, int] = {}

    @contextlib.contextmanager
    def one(self, behaviours: Sequence[str]) -> Iterator[None]:
        """Count one call while the block runs."""
        self.total += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        self.by_behaviour = dict(Counter(self.by_behaviour) + Counter(behaviours))
        try:
            yield
        finally:
            self.in_flight -= 1

    def begin(self, status: int, input_tokens: int) -> None:
        """Count the `status` of a reply that begins, and what 200 bills for the prompt."""
        self.by_status[status] = self.by_status.get(status, 0) + 1
        if status == 200:
            self.input_tokens += input_tokens

    def reset(self) -> None:
        """Count from 0 again, but for the calls in flight."""
        fresh = Calls(in_flight=self.in_flight, most_in_flight=self.in_flight)
        for field in self.__struct_fields__:
            setattr(self, field, getattr(fresh, field))
