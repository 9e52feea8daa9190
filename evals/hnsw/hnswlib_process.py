"""hnswlib in a process of its own: no database, no wire. Run by any Python that has it.

    python hnswlib_process.py VECTORS.npy QUESTIONS.npy M EF_CONSTRUCTION EF K PASSES

Prints JSON: seconds to build, milliseconds of each search, rows found for each question, bytes.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from importlib import import_module


def main(vectors_file: str, questions_file: str, *numbers: str) -> None:
    """Build, search, print."""
    import numpy as np

    hnswlib = import_module("hnswlib")  # has neither a wheel nor types

    m, ef_construction, ef, k, passes = map(int, numbers)
    vectors, questions = np.load(vectors_file), np.load(questions_file)
    index = hnswlib.Index(space="ip", dim=vectors.shape[1])
    index.init_index(max_elements=len(vectors), M=m, ef_construction=ef_construction)
    began = time.perf_counter()
    index.add_items(vectors, num_threads=1)
    built_s = time.perf_counter() - began
    index.set_ef(ef)
    times_ms, rows = [], []
    for number in range(-len(questions), len(questions) * passes):
        began = time.perf_counter()
        labels, _ = index.knn_query(questions[number % len(questions)], k=k, num_threads=1)
        if number < 0:  # the first pass warms up
            rows.append(labels[0].tolist())
        else:
            times_ms.append((time.perf_counter() - began) * 1000)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"built_s": built_s, "ms": times_ms, "rows": rows, "bytes": used}))


if __name__ == "__main__":
    main(*sys.argv[1:])
