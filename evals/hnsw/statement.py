"""The statement of a setting, and what the server is told before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pgvector import HalfVector
from pgvector import Vector as PgVector

from evals.hnsw.grid import WIDE, Kept, Kind, Setting
from evals.hnsw.oracle import K
from evals.hnsw.tables import table_name

if TYPE_CHECKING:
    from rag_core.domain import Vector

MOST_SCANNED = 200_000
"""Rows at which an iterative scan gives up: more than any table here has."""

_BY_VECTOR = """
SELECT note_id, embedding <#> %(vector)b AS distance FROM {table}
WHERE user_id = %(user)b ORDER BY (embedding <#> %(vector)b){bare} LIMIT {k}
"""
_BY_BITS = """
SELECT note_id, embedding <#> %(vector)b AS distance FROM (
    SELECT note_id, embedding FROM {table} WHERE user_id = %(user)b
    ORDER BY (bits <~> binary_quantize(%(vector)b)){bare} LIMIT {wide}
) AS wide ORDER BY distance LIMIT {k}
"""


def statement(setting: Setting) -> str:
    """The `K` nearest rows of a user; parameters `vector` and `user`.

    `+ 0` keeps every index over vectors out: they serve the bare distance alone.
    """
    text = _BY_BITS if setting.kept is Kept.BINARY else _BY_VECTOR
    bare = " + 0" if setting.kind is Kind.EXACT else ""
    table = table_name(setting.kind, setting.kept)
    return text.format(table=table, bare=bare, k=K, wide=WIDE)


def parameters(setting: Setting, user: str, vector: Vector) -> dict[str, Any]:
    """What the statement is asked with; `vector` float32[384], of unit length."""
    value = HalfVector(vector) if setting.kept is Kept.HALFVEC else PgVector(vector)
    return {"vector": value, "user": user}


def session(setting: Setting) -> dict[str, str]:
    """Server settings by name; both kinds of index scan on until the tenant's rows are enough."""
    told = {
        # One core a search: others want the cores too, and the backend's own CPU is all there is.
        "max_parallel_workers_per_gather": "0",
    }
    if setting.kind is Kind.HNSW:
        told |= {
            "hnsw.ef_search": str(setting.width),
            "hnsw.iterative_scan": "relaxed_order",
            "hnsw.max_scan_tuples": str(MOST_SCANNED),
        }
    if setting.kind is Kind.IVFFLAT:
        told |= {
            "ivfflat.probes": str(setting.width),
            "ivfflat.iterative_scan": "relaxed_order",
        }
    if setting.kind is not Kind.EXACT:
        told["enable_sort"] = "off"  # for few rows the planner prefers to sort
    return told
