"""What is worth its price, and what is taken for a recall that is wanted."""

from __future__ import annotations

from evals.hnsw.front import Tried, chosen, dominated, fastest
from evals.hnsw.grid import Build, Kept, Kind, Setting
from evals.hnsw.tables import Built
from evals.hnsw.timing import Search, Timing
from evals.measures.scores import Scored, aggregate

GRAPH = Build(Kind.HNSW, Kept.VECTOR, m=16, ef_construction=64)
LISTS = Build(Kind.IVFFLAT, Kept.VECTOR, lists=10)


def _tried(build: Build, width: int, recall: float, ms: float) -> Tried:
    timing = Timing(1, (Search(0, ms, ()),), ms / 1000, 0.0, 0.0)
    found = aggregate("recall@5", [Scored(recall)])
    return Tried(1_000, Setting(build, width), Built(build, 1.0, 1, 1), timing, timing, found)


NARROW, WIDE = _tried(GRAPH, 40, 0.97, 0.4), _tried(GRAPH, 100, 0.995, 0.8)
WORSE = _tried(LISTS, 5, 0.97, 0.5)
MANY = _tried(LISTS, 10, 0.98, 3.0)
ALL = (NARROW, WIDE, WORSE, MANY)


def test_dominated_is_what_another_beats_in_one_and_equals_in_the_other() -> None:
    assert dominated(ALL, lambda each: each.p50_ms) == {WORSE.setting, MANY.setting}


def test_equals_do_not_beat_each_other() -> None:
    twin = _tried(LISTS, 1, 0.97, 0.4)
    assert dominated((NARROW, twin), lambda each: each.p50_ms) == set()


def test_the_fastest_that_reaches_the_target_is_taken_and_else_the_best() -> None:
    assert fastest(ALL, 0.99) is WIDE
    assert fastest(ALL, 0.95) is NARROW
    assert fastest((NARROW, WORSE), 0.99) is NARROW


def test_each_family_has_one_that_is_chosen() -> None:
    assert chosen(ALL, 0.99) == {"HNSW vector": WIDE, "IVFFlat vector": MANY}
