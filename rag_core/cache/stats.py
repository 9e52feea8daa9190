"""What the caches did: counters per level, fed by the events everyone else gets too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import get_args

from rag_core.events import CacheLooked, Event, Level

LEVELS: tuple[Level, ...] = get_args(Level)


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
    """A listener that counts CacheLooked events."""

    def __init__(self) -> None:
        self._levels: dict[str, LevelStats] = {level: LevelStats() for level in LEVELS}

    def __call__(self, event: Event) -> None:
        if isinstance(event, CacheLooked):
            self._levels[event.level] = _counted(self._levels[event.level], event)

    def snapshot(self) -> dict[str, LevelStats]:
        """Counters by level."""
        return dict(self._levels)


def _counted(stats: LevelStats, event: CacheLooked) -> LevelStats:
    field = _FIELDS[event.outcome]
    return replace(
        stats,
        saved_ms=stats.saved_ms + event.saved_ms,
        saved_usd=stats.saved_usd + event.saved_usd,
        **{field: getattr(stats, field) + 1},
    )


_FIELDS = {
    "hit": "hits",
    "miss": "misses",
    "revalidated": "revalidations",
    "stale": "stale_serves",
    "unavailable": "unavailable",
}
