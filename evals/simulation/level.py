"""One cache level over a whole trace: which lookups store an entry, and what memory that takes.

An entry lives from the moment it is stored, so what happens to a key is a chain of entries: from
each, the next is the first lookup that finds it too old or changed. "The next entry, if one were
stored here" is computed for all lookups at once, and the chains are followed by pointer doubling:
about log2(longest chain) passes over the arrays, whatever the TTL.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from evals.simulation.timeline import Timeline
from evals.simulation.traffic import Floats, Ints

Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Lookups:
    """The requests that reach a level, as ascending positions in the timeline; int64[k]."""

    timeline: Timeline
    rows: Ints

    @classmethod
    def of_all(cls, timeline: Timeline) -> Lookups:
        """Every request reaches the first level."""
        return cls(timeline, np.arange(len(timeline.key)))

    def __len__(self) -> int:
        return len(self.rows)

    def only(self, reached: Flags) -> Lookups:
        """Those of these lookups, bool[k], that go on to the next level."""
        return Lookups(self.timeline, self.rows[reached])

    @property
    def key(self) -> Ints:
        """int64[k], the number of each lookup's (user, question)."""
        return self.timeline.key[self.rows]

    @property
    def time_s(self) -> Floats:
        """float64[k], the time of each lookup."""
        return self.timeline.time_s[self.rows]

    def stored(self, ttl_s: Floats, state: Ints | None = None) -> Flags:
        """Which lookups store an entry: a key's first, and those whose entry is of no use.

        An entry stored at i is of no use at age >= ttl_s[i], or once `state`, which never returns
        to an earlier value within a key, differs from what it was at i.
        """
        n = len(self)
        first = np.diff(self.key, prepend=-1) != 0
        fresh_until = np.maximum(self._first_expired(ttl_s), np.arange(1, n + 1))
        changes = first if state is None else first | (np.diff(state, prepend=-1) != 0)
        successor = np.minimum(fresh_until, _next_marked(changes))
        leaves_key = successor >= _next_marked(first)
        return _reached(first, np.where(leaves_key, n, successor))

    def _first_expired(self, ttl_s: Floats) -> Ints:
        """First lookup of the key, or of a later key, at or after time + ttl."""
        timeline, ranks = self.timeline, len(self.timeline.key) + 1
        rows = timeline.order[self.rows]
        placed = self.key * ranks + rows
        return np.searchsorted(placed, self.key * ranks + self._expiry_rank(rows, ttl_s))

    def _expiry_rank(self, rows: Ints, ttl_s: Floats) -> Ints:
        """How many requests of anyone come before each entry expires."""
        time_s = self.timeline.traffic.time_s
        # Asked in time order, neighbouring searches touch the same memory.
        expiry_s = np.full(len(time_s), np.nan)
        expiry_s[rows] = time_s[rows] + ttl_s
        asked = np.flatnonzero(~np.isnan(expiry_s))
        rank = np.zeros(len(time_s), dtype=np.int64)
        rank[asked] = np.searchsorted(time_s, expiry_s[asked], side="left")
        return rank[rows]


def _next_marked(marks: Flags) -> Ints:
    """For each position, the next later one that is marked; the length if none is."""
    n = len(marks)
    at_or_after = np.minimum.accumulate(np.where(marks, np.arange(n), n)[::-1])[::-1]
    return np.append(at_or_after, n)[1:]


def _reached(roots: Flags, successor: Ints) -> Flags:
    """Positions on the chains that start at `roots`; a successor of n ends a chain."""
    n = len(roots)
    reached = np.append(roots, True)
    jump = np.append(successor, n)
    while True:
        found = jump[np.flatnonzero(reached)]
        if (found == n).all():
            return reached[:n]
        reached[found] = True
        jump = jump[jump]


@dataclass(frozen=True, slots=True)
class Residency:
    """Number of entries in memory over the span of a trace: their `mean` and their `peak` count."""

    mean: float
    peak: int

    @classmethod
    def of(cls, start_s: Floats, end_s: Floats, span_s: float) -> Residency:
        """From when each entry is stored and goes, float64[k]; entries outlive the trace."""
        starts, ends = np.sort(start_s), np.sort(end_s)
        alive = np.arange(1, len(starts) + 1) - np.searchsorted(ends, starts, side="right")
        if not len(starts) or span_s <= 0:
            return cls(float(len(starts)), len(starts))
        last = starts[0] + span_s
        held_s = np.minimum(end_s, last) - np.minimum(start_s, last)
        return cls(float(held_s.sum() / span_s), int(alive.max()))


@dataclass(frozen=True, slots=True, eq=False)
class ContextUse:
    """What the in-process context cache did."""

    missed: Flags
    """Lookups that built their context anew; bool[k]."""
    peak_entries: int
    mean_entries: float


def use_contexts(lookups: Lookups, ttl_s: float, capacity_entries: int) -> ContextUse:
    """Misses of a cache keyed by user, epoch and question, bounded by a TTL and by LRU eviction.

    Array operations while everything fits; one by one, exactly, where eviction sets in.
    """
    stored = lookups.stored(np.full(len(lookups), ttl_s), lookups.timeline.epoch[lookups.rows])
    start_s = lookups.time_s[stored]
    unbounded = Residency.of(start_s, start_s + ttl_s, lookups.timeline.traffic.span_s)
    if unbounded.peak <= capacity_entries:
        return ContextUse(stored, unbounded.peak, unbounded.mean)
    # Full from soon after the start: taken as full all the time.
    missed = _lru_missed(lookups, ttl_s, capacity_entries)
    return ContextUse(missed, capacity_entries, capacity_entries)


def _lru_missed(lookups: Lookups, ttl_s: float, capacity: int) -> Flags:
    timeline = lookups.timeline
    places = np.argsort(timeline.order[lookups.rows])
    in_time = lookups.rows[places]
    keys = zip(timeline.key[in_time].tolist(), timeline.epoch[in_time].tolist(), strict=True)
    used: OrderedDict[tuple[int, int], float] = OrderedDict()
    by_age: deque[tuple[float, tuple[int, int]]] = deque()
    missed = np.ones(len(lookups), dtype=np.bool_)
    looked = zip(places.tolist(), timeline.time_s[in_time].tolist(), keys, strict=True)
    for place, now, key in looked:
        while by_age and now - by_age[0][0] >= ttl_s:
            stored_s, old = by_age.popleft()
            if used.get(old) == stored_s:
                del used[old]
        if key in used:
            used.move_to_end(key)
            missed[place] = False
            continue
        used[key] = now
        by_age.append((now, key))
        if len(used) > capacity:
            used.popitem(last=False)
    return missed
