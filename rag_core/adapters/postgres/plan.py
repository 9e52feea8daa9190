"""How Postgres ran a statement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class PlanNode:
    """A node of a plan as EXPLAIN (ANALYZE, FORMAT JSON) has it.

    `depth` is the number of nodes above it; rows and time are of one loop.
    """

    depth: int
    kind: str
    table: str | None
    index: str | None
    rows: float
    total_ms: float

    def __str__(self) -> str:
        what = " on ".join(filter(None, (self.kind, self.index or self.table)))
        return f"{'  ' * self.depth}{what} ({self.rows:g} rows, {self.total_ms:.3f} ms)"


def plan_nodes(node: Mapping[str, Any], depth: int = 0) -> Iterator[PlanNode]:
    """The node and all below it, parents first."""
    table, index = node.get("Relation Name"), node.get("Index Name")
    rows, total_ms = node["Actual Rows"], node["Actual Total Time"]
    yield PlanNode(depth, node["Node Type"], table, index, rows, total_ms)
    for child in node.get("Plans", ()):
        yield from plan_nodes(child, depth + 1)
