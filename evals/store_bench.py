"""What searching and saving cost on this machine, each figure beside its reference.

python -m evals.store_bench            all of it, some three minutes
python -m evals.store_bench --only search
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path

from evals.figures import Figure
from evals.store_save_bench import many_notes, redis_states
from evals.store_search_bench import exact_search, written_chunks
from evals.store_wait_bench import frozen_postgres, queued_saves
from evals.text_table import text_table

BENCHES: dict[str, Callable[[Path], Coroutine[None, None, list[Figure]]]] = {
    "search": exact_search,
    "write": written_chunks,
    "notes": many_notes,
    "redis": redis_states,
    "queue": queued_saves,
    "frozen": frozen_postgres,
}


def main(arguments: list[str] | None = None) -> int:
    """Print the figures; exit code 1 when one misses its reference."""
    parser = argparse.ArgumentParser(prog="python -m evals.store_bench", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--only", choices=BENCHES, metavar="NAME", help=", ".join(BENCHES))
    parsed = parser.parse_args(arguments)
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores")
    figures: list[Figure] = []
    for name, run in BENCHES.items():
        if parsed.only in (None, name):
            print(f"measuring {name} …", file=sys.stderr)
            with tempfile.TemporaryDirectory(prefix="rag-bench-") as folder:
                figures += asyncio.run(run(Path(folder)))
    print(text_table(["figure", "measured", "reference", ""], [f.row() for f in figures]))
    return 1 if any(figure.met is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
