"""What a replay found: how each request ended, beside what the simulator says."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evals.simulation.simulator import CacheOutcome, Setting, outcomes, simulate
from evals.simulation.timeline import Timeline
from rag_core.cache import LevelStats


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryBytes:
    """Mean bytes of one entry: on Valkey with key and overhead, in process as the cache counts.

    All of `answer`, `embedding` and `context` are in bytes.
    """

    answer: int
    embedding: int
    context: int

    def applied_to(self, setting: Setting) -> Setting:
        """`setting` with measured sizes instead of guessed ones."""
        return replace(
            setting,
            answer_bytes=self.answer,
            embedding_bytes=self.embedding,
            context_bytes=self.context,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Replay:
    """What the real caches did.

    `outcomes` is uint8[n] in the order of the trace, as `simulator.outcomes` gives them.
    """

    setting: Setting
    timeline: Timeline
    outcomes: NDArray[np.uint8]
    llm_calls: int
    levels: dict[str, LevelStats]
    changed_evidence: int
    """Number of answers served that rest on other evidence than the notes held at the time."""
    entry_bytes: EntryBytes
    seconds: float

    @property
    def hit_rate(self) -> float:
        """Share of requests answered without an LLM call."""
        return float((self.outcomes != CacheOutcome.MISS).mean())

    @property
    def unavailable(self) -> int:
        """Times a cache could not be asked; anything but 0 spoils the comparison."""
        return sum(level.unavailable for level in self.levels.values())

    @property
    def differing(self) -> int:
        """Number of requests that ended otherwise than the simulator says."""
        return int((self.outcomes != outcomes(self.timeline, self.setting)).sum())

    def comparison(self) -> pd.DataFrame:
        """Simulated beside replayed, a row per figure; columns figure, simulated, replayed, gap."""
        report = simulate(self.timeline, self.setting)
        figures = {
            "hit rate": (report.hit_rate, self.hit_rate),
            "revalidated": (
                report.revalidated_rate,
                float((self.outcomes == CacheOutcome.REVALIDATED).mean()),
            ),
            "LLM calls per request": (
                report.llm_calls / report.requests,
                self.llm_calls / len(self.outcomes),
            ),
            "embedding cache hits": (report.embedding_hit_rate, self._hits("embedding")),
            "context cache hits": (report.context_hit_rate, self._hits("context")),
        }
        table = pd.DataFrame(
            [(name, *pair) for name, pair in figures.items()],
            columns=["figure", "simulated", "replayed"],
        )
        return table.assign(gap=table["replayed"] - table["simulated"])

    def _hits(self, level: str) -> float:
        stats = self.levels[level]
        looked = stats.hits + stats.misses
        return stats.hits / looked if looked else 0.0
