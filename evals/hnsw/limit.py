"""The limit: the same graph by hnswlib, in one process, without a database."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from evals.hnsw.grid import Build
from evals.hnsw.oracle import K, Oracle
from evals.hnsw.timing import quantile
from evals.measures.scores import Aggregate, Scored, Unscored, aggregate
from evals.project import ROOT

if TYPE_CHECKING:
    from rag_core.domain import Matrix

ENVIRONMENT = ROOT / ".venvs/hnswlib/bin/python"
"""Where `python -m evals bench search` puts it: it has no wheel, and takes a C++ compiler."""
_PROGRAM = Path(__file__).with_name("hnswlib_process.py")


@dataclass(frozen=True, slots=True)
class Limit:
    """What hnswlib took: `ms` of each search, and bytes of its whole process at the most."""

    ms: tuple[float, ...]
    built_s: float
    memory_bytes: int
    recall: Aggregate

    def quantile_ms(self, share: float) -> float | None:
        """Latency at that share of the searches; None where too few lie beyond it."""
        return quantile(self.ms, share)


class _Told(msgspec.Struct):
    """What the process prints."""

    built_s: float
    ms: tuple[float, ...]
    rows: list[list[int]]
    bytes: int


def interpreter(given: str = "") -> Path:
    """The Python to ask: `given`, that of the environment that was made for it, or this one."""
    if given:
        return Path(given)
    return ENVIRONMENT if ENVIRONMENT.is_file() else Path(sys.executable)


def measure_limit(
    python: Path, build: Build, ef: int, vectors: Matrix, questions: Matrix, *, passes: int
) -> Limit | Unscored:
    """One thread, `vectors` float32[rows, 384] and `questions` float32[m, 384]; a reason if none.

    `python` is an interpreter with numpy and hnswlib; `ef` the candidates that a search keeps.
    """
    with TemporaryDirectory(prefix="rag-hnswlib-") as folder:
        files = [Path(folder) / name for name in ("vectors.npy", "questions.npy")]
        for file, values in zip(files, (vectors, questions), strict=True):
            np.save(file, values)
        numbers = (build.m, build.ef_construction, max(ef, K), K, passes)
        command = [str(python), str(_PROGRAM), *map(str, files), *map(str, numbers)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            return Unscored(f"{python} cannot be run: {error.strerror}")
    if done.returncode:
        return Unscored(f"hnswlib: {_last_line(done.stderr)}")
    return _read(msgspec.json.decode(done.stdout, type=_Told), Oracle.of(vectors, questions))


def _read(told: _Told, oracle: Oracle) -> Limit:
    found = {str(n): Scored(oracle.recall(n, rows)) for n, rows in enumerate(told.rows)}
    recall = aggregate("recall@5", found, proportion=True)
    return Limit(told.ms, told.built_s, told.bytes, recall)


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1][:200]
