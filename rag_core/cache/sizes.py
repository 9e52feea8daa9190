"""How much a cache holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CacheSize:
    """Entries and bytes; None where counting is not possible or would cost too much."""

    entries: int | None
    size_bytes: int | None
