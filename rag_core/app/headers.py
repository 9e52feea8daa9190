"""Headers of a request as the server gives them: pairs of bytes, the names in lower case."""

from __future__ import annotations

from collections.abc import Iterable

Pairs = list[tuple[bytes, bytes]]


def header(pairs: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes:
    """The first value of that name, empty where there is none; `name` in lower case."""
    for each, value in pairs:
        if each == name:
            return value
    return b""
