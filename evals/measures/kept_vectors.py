"""Vectors kept from run to run, so that a text is embedded once for each model."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rag_core.domain import DIMENSIONS, Embedder
from rag_core.errors import ConfigurationError

if TYPE_CHECKING:
    from rag_core.domain import Matrix, Vector

_TABLE = """
CREATE TABLE IF NOT EXISTS vectors
    (text_sha256 TEXT PRIMARY KEY, vector BLOB NOT NULL, ms REAL NOT NULL) WITHOUT ROWID
"""
_BATCH = 256
"""Texts embedded between two writes: what an interrupted run loses at most, a few seconds."""

_WAIT_S = 60.0
"""For another run that writes."""


class _Kept(NamedTuple):
    vector: Vector
    ms: float


class KeptEmbedder:
    """An embedder that asks `embedder` only for texts that no run has embedded before.

    They are kept in `database` by the SHA-256 of the text, with what each took when it was
    embedded, for timing a stage as if its texts were new.
    """

    def __init__(self, embedder: Embedder, database: sqlite3.Connection) -> None:
        self._embedder = embedder
        self._database = database
        self.digest, self.max_word_pieces = embedder.digest, embedder.max_word_pieces
        self.count_word_pieces = embedder.count_word_pieces
        self.embedded = 0
        """Number of texts that had to be embedded."""
        self.spared_ms = 0.0
        """Milliseconds that the texts known already had taken."""
        self._known: dict[str, _Kept] = {}

    async def embed(self, texts: Sequence[str]) -> Matrix:
        """See `Embedder`."""
        hashes = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
        self._read(hashes)
        new = {key: text for key, text in zip(hashes, texts, strict=True) if key not in self._known}
        self.spared_ms += sum(self._known[key].ms for key in hashes if key not in new)
        keys = list(new)
        for first in range(0, len(keys), _BATCH):
            await self._embed_new({key: new[key] for key in keys[first : first + _BATCH]})
        if not texts:
            return np.empty((0, DIMENSIONS), dtype=np.float32)
        return np.stack([self._known[key].vector for key in hashes])

    def learn(self, vectors: Mapping[str, Vector]) -> None:
        """Know these vectors, by the SHA-256 of their texts, which a store has already."""
        unknown = {key: vector for key, vector in vectors.items() if key not in self._known}
        self._keep({key: _Kept(vector, 0.0) for key, vector in unknown.items()})

    async def _embed_new(self, texts: Mapping[str, str]) -> None:
        began = time.perf_counter()
        vectors = await self._embedder.embed(list(texts.values()))
        elapsed_ms = (time.perf_counter() - began) * 1000
        pieces = [self.count_word_pieces(text) + 2 for text in texts.values()]
        shares = [count / sum(pieces) for count in pieces]
        rows = zip(texts, vectors, shares, strict=True)
        self._keep({key: _Kept(vector, elapsed_ms * share) for key, vector, share in rows})
        self.embedded += len(texts)

    def _read(self, hashes: Sequence[str]) -> None:
        """Take what the file has of these texts."""
        select = "SELECT vector, ms FROM vectors WHERE text_sha256 = ?"
        for key in dict.fromkeys(hashes):
            if key not in self._known and (
                row := self._database.execute(select, (key,)).fetchone()
            ):
                self._known[key] = _Kept(np.frombuffer(row[0], dtype=np.float32), row[1])

    def _keep(self, rows: Mapping[str, _Kept]) -> None:
        self._known.update(rows)
        stored = [
            (key, np.asarray(kept.vector, dtype=np.float32).tobytes(), kept.ms)
            for key, kept in rows.items()
        ]
        with self._database:
            self._database.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?, ?)", stored)


@contextmanager
def kept_vectors(embedder: Embedder, folder: Path) -> Iterator[KeptEmbedder]:
    """`embedder`, with the vectors in a file of `folder` that is named after its digest.

    Raises:
        ConfigurationError: the file cannot be made, or is no such file.
    """
    file = folder / f"{embedder.digest[:32]}.sqlite"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(file, error) from error
    try:
        with closing(sqlite3.connect(file, timeout=_WAIT_S)) as database:
            # Written after every few texts: without a WAL, each write would wait for the disk.
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            database.execute(_TABLE)
            yield KeptEmbedder(embedder, database)
    except sqlite3.Error as error:
        raise _unusable(file, error) from error


def _unusable(file: Path, error: Exception) -> ConfigurationError:
    return ConfigurationError(
        "RAG_HOME", f"{file} cannot be used: {error}", "Remove the file, or make room"
    )
