"""What generators are told: the same to each of them, wherever it runs."""

from __future__ import annotations

import msgspec

from loadtests.traffic.shape import Shape


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A load of this shape, drawn by `seed`; `origin_s`, of `time.time()`, is when it begins."""

    shape: Shape
    seed: int
    origin_s: float


def read_order(text: str) -> Order:
    """The order that this JSON says.

    Raises:
        msgspec.DecodeError: it says none.
    """
    return msgspec.json.decode(text, type=Order)


def order_text(order: Order) -> str:
    """The order as JSON."""
    return msgspec.json.encode(order).decode()
