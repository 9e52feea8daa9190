"""Choose cache settings from a sweep, for a stated objective."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from rag_core.errors import InvalidInput

ENVIRONMENT_NAMES = {
    "answer_soft_ttl_s": "RAG_ANSWER_SOFT_TTL_S",
    "answer_hard_ttl_s": "RAG_ANSWER_HARD_TTL_S",
    "embedding_ttl_s": "RAG_EMBEDDING_TTL_S",
    "context_ttl_s": "RAG_CONTEXT_TTL_S",
}
"""The pipeline's variable for each setting of the simulator that it can be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """As many valid hits as the limits allow, then as little memory as costs few of them.

    Raises:
        InvalidInput: a value is out of range; names the field and the value.
    """

    policy: str = "evidence_revalidation"
    """The only policy that the pipeline follows."""
    max_stale_share_of_hits: float = 0.0
    max_redis_bytes: float = 1e9
    tolerance: float = 0.005
    """Valid hit rate that may be given up for shorter TTLs and less memory."""

    def __post_init__(self) -> None:
        for name in ("max_stale_share_of_hits", "tolerance"):
            if not 0 <= getattr(self, name) <= 1:
                raise InvalidInput(name, f"must be in [0, 1], got {getattr(self, name)!r}")


def recommend(table: pd.DataFrame, objective: Objective) -> dict[str, object]:
    """The row of a sweep's table, by column, that meets the objective.

    Raises:
        InvalidInput: no row keeps the limits.
    """
    redis_bytes = table["answer_bytes_peak"] + table["embedding_bytes_peak"]
    allowed = table[
        (table["policy"] == objective.policy)
        & (table["stale_share_of_hits"] <= objective.max_stale_share_of_hits)
        & (redis_bytes <= objective.max_redis_bytes)
    ]
    if allowed.empty:
        raise InvalidInput(
            "objective", "no simulated setting keeps its limits", "Widen the grid or the limits"
        )
    enough = allowed["valid_hit_rate"].max() - objective.tolerance
    good = allowed[allowed["valid_hit_rate"] >= enough].assign(redis_bytes=redis_bytes)
    order = ["redis_bytes", "answer_soft_ttl_s", "embedding_ttl_s", "context_ttl_s"]
    best = good.sort_values(order).head(1).to_dict("records")[0]
    return {str(name): value for name, value in best.items()}


def write_env(
    chosen: Mapping[str, object],
    path: Path,
    names: Mapping[str, str] = ENVIRONMENT_NAMES,
) -> None:
    """Write the recommended settings as NAME=value lines, whole seconds, for the app to load."""
    lines = [f"{variable}={round(float(str(chosen[name])))}\n" for name, variable in names.items()]
    path.write_text("".join(lines), encoding="utf-8")
