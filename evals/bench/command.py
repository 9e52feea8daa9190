"""All benchmarks, in sets: run them in turn, print one table."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from evals.bench.access import known_user
from evals.bench.cache import context_get, revalidated_answer, simulator
from evals.bench.cache_fleet import killed_leader, simultaneous_misses
from evals.bench.cache_freeze import frozen_redis
from evals.bench.cache_hit import cached_answer
from evals.bench.context import built_context, ingested_count, quoted_answer
from evals.bench.documents import hundred_files, thousand_files
from evals.bench.embedders import backends
from evals.bench.figures import Bench, Figure
from evals.bench.footprint import lean_install
from evals.bench.forecast import choice, cost, warnings
from evals.bench.gate import false_alarms, planted_drops, planted_slowness
from evals.bench.guard import added_cpu
from evals.bench.guard_fleet import shared_breaker
from evals.bench.hedging import hedged_tail
from evals.bench.http import cached_hit, first_token, many_connected
from evals.bench.ledger import hold_and_settle, raced_budget
from evals.bench.limits import limit_check
from evals.bench.page import page_in_chromium
from evals.bench.proxy import own_overhead
from evals.bench.resume import killed_run
from evals.bench.search import hundred_thousand, ten_thousand
from evals.bench.shedding import overload
from evals.bench.spend_monitor import watched
from evals.bench.store_save import many_notes, redis_states
from evals.bench.store_search import exact_search, written_chunks
from evals.bench.store_wait import frozen_postgres, queued_saves
from evals.bench.verdicts import verdicts
from evals.results.machine import machine
from evals.results.table import text_table
from rag_core.errors import InvalidInput

SETS: dict[str, dict[str, Bench]] = {
    "cache": {
        "cached": cached_answer,
        "revalidated": revalidated_answer,
        "context": context_get,
        "misses": simultaneous_misses,
        "killed": killed_leader,
        "frozen": frozen_redis,
        "simulator": simulator,
    },
    "store": {
        "search": exact_search,
        "write": written_chunks,
        "notes": many_notes,
        "redis": redis_states,
        "queue": queued_saves,
        "frozen": frozen_postgres,
    },
    "documents": {"hundred": hundred_files, "thousand": thousand_files},
    "search": {"10k": ten_thousand, "100k": hundred_thousand},
    "context": {"built": built_context, "quoted": quoted_answer, "ingest": ingested_count},
    "http": {"hit": cached_hit, "connected": many_connected, "token": first_token},
    "embedders": {"backends": backends},
    "access": {"cpu": known_user},
    "page": {"chromium": page_in_chromium},
    "proxy": {"overhead": own_overhead},
    "footprint": {"lean": lean_install},
    "gate": {"unchanged": false_alarms, "planted": planted_drops, "slower": planted_slowness},
    "resume": {"killed": killed_run},
    "guard": {"cpu": added_cpu, "fleet": shared_breaker},
    "hedging": {"tail": hedged_tail},
    "limits": {"check": limit_check, "shedding": overload},
    "ledger": {"cost": hold_and_settle, "race": raced_budget},
    "verdicts": verdicts(),
    "forecast": {"warnings": warnings, "choice": choice, "cost": cost, "watched": watched},
}


def run_benches(name: str, only: str | None = None) -> int:
    """Print the figures of a set; exit code 1 when one misses its reference.

    Raises:
        InvalidInput: the set has no part `only`.
    """
    benches = SETS[name]
    if only is not None and only not in benches:
        raise InvalidInput("--only", f"{only!r} is no part of it", f"Parts: {', '.join(benches)}")
    print(machine())
    figures: list[Figure] = []
    for part in [only] if only else benches:
        print(f"measuring {part} …", file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="rag-bench-") as folder:
            figures += asyncio.run(benches[part](Path(folder)))
    print(text_table(["figure", "measured", "reference", ""], [f.row() for f in figures]))
    return 1 if any(figure.met is False for figure in figures) else 0
