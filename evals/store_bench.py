"""What searching and saving cost on this machine, each figure beside its reference.

python -m evals.store_bench            all of it, some three minutes
python -m evals.store_bench --only search
"""

from __future__ import annotations

import sys

from evals.bench_command import Bench, run_benches
from evals.store_save_bench import many_notes, redis_states
from evals.store_search_bench import exact_search, written_chunks
from evals.store_wait_bench import frozen_postgres, queued_saves

BENCHES: dict[str, Bench] = {
    "search": exact_search,
    "write": written_chunks,
    "notes": many_notes,
    "redis": redis_states,
    "queue": queued_saves,
    "frozen": frozen_postgres,
}


def main(arguments: list[str] | None = None) -> int:
    """The command line; exit code 1 when a figure misses its reference."""
    return run_benches("evals.store_bench", __doc__, BENCHES, arguments)


if __name__ == "__main__":
    sys.exit(main())
