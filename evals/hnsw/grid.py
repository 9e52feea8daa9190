"""What is tried: settings of an index and of a search by it, and how much of it a profile tries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from rag_core.domain import HNSW_EF_CONSTRUCTION, HNSW_M
from rag_core.errors import InvalidInput


class Kind(StrEnum):
    """How the nearest are found."""

    EXACT = "exact"
    HNSW = "HNSW"
    IVFFLAT = "IVFFlat"


class Kept(StrEnum):
    """What of a vector is compared."""

    VECTOR = "vector"
    """float32, 1,544 bytes."""
    HALFVEC = "halfvec"
    """float16, 776 bytes."""
    BINARY = "binary"
    """One bit a dimension, 56 bytes; the `WIDE` nearest are then ordered by the vector itself."""


WIDE = 100
"""Rows that a binary search reads the vectors of: chosen, 20 times the five that are wanted."""


@dataclass(frozen=True, slots=True)
class Build:
    """An index: `m` links and `ef_construction` candidates of a graph, or so many `lists`."""

    kind: Kind
    kept: Kept
    m: int = 0
    ef_construction: int = 0
    lists: int = 0

    def __str__(self) -> str:
        sizes = {
            Kind.EXACT: "",
            Kind.HNSW: f" m={self.m} ef_construction={self.ef_construction}",
            Kind.IVFFLAT: f" lists={self.lists}",
        }
        return f"{self.kind} {self.kept}{sizes[self.kind]}"


@dataclass(frozen=True, slots=True)
class Setting:
    """An index and the `width` of a search by it: the number of candidates, or of lists probed."""

    build: Build
    width: int = 0

    @property
    def kind(self) -> Kind:
        """Of its index."""
        return self.build.kind

    @property
    def kept(self) -> Kept:
        """What its index compares."""
        return self.build.kept

    @property
    def name(self) -> str:
        """Its family: settings that differ in numbers only have one name."""
        return f"{self.kind} {self.kept}"

    def __str__(self) -> str:
        name = {Kind.EXACT: "", Kind.HNSW: " ef_search=", Kind.IVFFLAT: " probes="}[self.kind]
        return f"{self.build}{name}{self.width or ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """What is tried, and how often.

    Raises:
        InvalidInput: there is nothing to try, or too little is asked for.
    """

    sizes: Sequence[int]
    """Rows of the largest tenant."""
    graphs: Sequence[tuple[int, int]]
    """m and ef_construction."""
    ef_search: Sequence[int]
    rows_a_list: Sequence[int]
    """IVFFlat has a list for so many rows."""
    probed: Sequence[float]
    """Shares of the lists that a search by IVFFlat reads; one list at the least."""
    kept: Sequence[Kept] = tuple(Kept)
    passes: int
    """Over the questions of dev, for each setting."""
    last_passes: int
    """Over those of test, for each setting that was chosen."""
    clients: Sequence[int] = (1, 2, 8)
    questions: int = 1_000
    """Of each split, at the most."""

    def __post_init__(self) -> None:
        for name in ("sizes", "graphs", "ef_search", "rows_a_list", "probed", "kept", "clients"):
            if not getattr(self, name):
                raise InvalidInput(f"grid.{name}", "must not be empty")
        for name in ("passes", "last_passes", "questions"):
            if getattr(self, name) < 1:
                raise InvalidInput(f"grid.{name}", f"must be at least 1, got {getattr(self, name)}")

    def builds(self, size: int) -> Iterator[Build]:
        """Every index for `size` rows, the exact scans without one first."""
        lists = sorted({max(1, size // rows) for rows in self.rows_a_list})
        for kept in self.kept:
            yield Build(Kind.EXACT, kept)
            for m, ef_construction in self.graphs:
                yield Build(Kind.HNSW, kept, m=m, ef_construction=ef_construction)
            for number in lists:
                yield Build(Kind.IVFFLAT, kept, lists=number)

    def settings(self, build: Build) -> list[Setting]:
        """Every search by this index, narrow ones first."""
        widths = {
            Kind.EXACT: {0},
            Kind.HNSW: set(self.ef_search),
            Kind.IVFFLAT: {max(1, round(share * build.lists)) for share in self.probed},
        }
        return [Setting(build, width) for width in sorted(widths[build.kind])]


DEPLOYED = (HNSW_M, HNSW_EF_CONSTRUCTION)
"""The graph that `python -m rag_core index hnsw` builds."""
DEPLOYED_KEPT = Kept.HALFVEC
"""What it compares."""

GRIDS = {
    "smoke": Grid(
        sizes=(1_000,), graphs=(DEPLOYED,), ef_search=(40, 100), rows_a_list=(50,),
        probed=(0.1, 0.5), kept=(DEPLOYED_KEPT,), passes=1, last_passes=1, questions=50,
    ),
    "full": Grid(
        sizes=(1_000, 10_000), graphs=((16, 64), DEPLOYED, (32, 128)), ef_search=(20, 40, 100, 200),
        rows_a_list=(100, 400), probed=(0.02, 0.1, 0.3, 0.6), kept=(DEPLOYED_KEPT,), passes=1,
        last_passes=3,
    ),
    "bench": Grid(
        sizes=(1_000, 10_000, 36_000, 100_000),
        graphs=tuple(product((8, 16, HNSW_M, 32), (64, HNSW_EF_CONSTRUCTION, 256))),
        ef_search=(20, 40, 100, 200, 400),
        rows_a_list=(100, 400, 1000), probed=(0.01, 0.02, 0.05, 0.1, 0.3, 0.6), passes=3,
        last_passes=10,
    ),
}  # fmt: skip
"""What each profile tries."""

TENANTS = {"10 %": 0.1, "1 %": 0.01, "0.1 %": 0.001}
"""Tenants beside the largest, and how many rows they have, as shares of its rows."""
LARGEST = "100 %"


def tenant_rows(size: int) -> dict[str, int]:
    """Number of rows of each tenant beside one of `size` rows, the smallest first."""
    small = {name: max(1, round(share * size)) for name, share in reversed(TENANTS.items())}
    return {**small, LARGEST: size}
