"""What searching and saving cost on this machine, each figure beside its reference.

python -m evals.bench.store            all of it, some three minutes
python -m evals.bench.store --only search
"""

from __future__ import annotations

import sys

from evals.bench.command import Bench, run_benches
from evals.bench.store_save import many_notes, redis_states
from evals.bench.store_search import exact_search, written_chunks
from evals.bench.store_wait import frozen_postgres, queued_saves

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
    return run_benches("evals.bench.store", __doc__, BENCHES, arguments)


if __name__ == "__main__":
    sys.exit(main())
