"""What the caches did: counters per level, fed by the events everyone else gets too."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import get_args

from rag_core.events import CacheLookedUp, Event, Level

LEVELS: tuple[Level, ...] = get_args(Level)


@dataclass(frozen=True, slots=True)
class CacheSize:
    """Entries and bytes; None where counting is not possible or would cost too much."""

    entries: int | None
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class LevelStats:
    """One cache level since the process started; sizes are of the whole cache, now."""

    hits: int = 0
    misses: int = 0
    revalidations: int = 0
    """Answers served after their evidence was checked and still stood."""
    stale_serves: int = 0
    """Answers past their soft TTL, served with standing evidence while generation was down."""
    unavailable: int = 0
    """Times the cache could not be asked; each of them is a miss, too."""
    saved_ms: float = 0.0
    saved_usd: float = 0.0
    entries: int | None = None
    size_bytes: int | None = None


class CacheStats:
    """A listener that counts CacheLookedUp events."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[Level, str]] = Counter()
        self._saved_ms: defaultdict[Level, float] = defaultdict(float)
        self._saved_usd: defaultdict[Level, float] = defaultdict(float)

    def __call__(self, event: Event) -> None:
        """Count a look into a cache; other events are ignored."""
        if isinstance(event, CacheLookedUp):
            self._counts[event.level, _FIELDS[event.outcome]] += 1
            self._saved_ms[event.level] += event.saved_ms
            self._saved_usd[event.level] += event.saved_usd

    def snapshot(self) -> dict[str, LevelStats]:
        """The counts so far by cache level."""
        return {
            level: LevelStats(
                **{field: self._counts[level, field] for field in _FIELDS.values()},
                saved_ms=self._saved_ms[level],
                saved_usd=self._saved_usd[level],
            )
            for level in LEVELS
        }


_FIELDS = {
    "hit": "hits",
    "miss": "misses",
    "revalidated": "revalidations",
    "stale": "stale_serves",
    "unavailable": "unavailable",
}
