"""A reader of claim and source together: an encoder taught whether the one follows from the other.

It is the measuring embedder with other weights in its layers, so it runs as an embedder does:
"claim [SEP] context" is one text, its vector the mean of all pieces at unit length, and what the
vector says of support is a logistic model of it. `python -m evals fit reader` teaches it.

Stored are the layers alone, as the bytes that they are run in: whole numbers -63 to 63 for each row
of a matrix, which has a scale of its own (see `bert_graph`).
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from evals.measures.kept_vectors import kept_vectors
from evals.measures.measuring_embedder import MODEL
from evals.measures.support_nearest import Nearest
from evals.measures.vectors import Vectors
from rag_core.adapters.embedders import load_embedder, resolve_model
from rag_core.domain import Embedder
from rag_core.settings import Settings

STORED = Path(__file__).with_name("support_reader.safetensors")
STEEPNESS = 10.0
"""What a vector of unit length is multiplied by before the logistic model's weights."""
_MOST = 63
"""The largest whole number of a row, as `bert_graph` has it."""
_SCALES, _HEAD, _BIAS = ".scales", "head.weight", "head.bias"
_WEIGHTS, _COPIED = "model.safetensors", ("config.json", "tokenizer.json")

Tensors = Mapping[str, NDArray[np.generic]]


def reading(claim: str, context: str) -> str:
    """The text that the reader reads."""
    return f"{claim} [SEP] {context}"


@dataclass(frozen=True, slots=True)
class Head:
    """The logistic model of a vector: `weight` float32[384], `bias` in log odds."""

    weight: NDArray[np.float32]
    bias: float

    def log_odds(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """float64[n] of float32[n, 384]: above 0 where support is more likely than not."""
        return np.asarray(STEEPNESS * (vectors @ self.weight) + self.bias, np.float64)


class SupportReader:
    """Says in log odds what it makes of a claim and the sentences nearest to it."""

    def __init__(self, embedder: Embedder, head: Head) -> None:
        self._vectors, self._head = Vectors(embedder), head
        self._pieces = embedder.count_word_pieces

    async def log_odds(self, pairs: Sequence[tuple[str, Nearest]]) -> NDArray[np.float64]:
        """float64[pairs]; pairs are (claim, what is nearest to it)."""
        texts = [reading(claim, near.context(self._pieces)) for claim, near in pairs]
        return self._head.log_odds(await self._vectors.of(texts))


@contextmanager
def opened_reader(settings: Settings) -> Iterator[SupportReader]:
    """The stored reader, loaded; what it read before is kept under `settings.home`.

    Raises:
        ConfigurationError: the measuring model's package is missing, or nothing can be written.
    """
    with kept_vectors(load_reader(settings.home / "models"), settings.home / "vectors") as kept:
        yield SupportReader(kept, stored_head())


def load_reader(cache_dir: Path) -> Embedder:
    """The stored encoder; blocks for a second, for some five where it was not built before.

    Raises:
        ConfigurationError: the measuring model's package is missing.
    """
    return load_embedder(f"{_folder(cache_dir)}:int8", cache_dir=cache_dir)


@cache
def stored_head() -> Head:
    """The logistic model that lies beside this file."""
    with safe_open(STORED, "numpy") as file:
        return Head(file.get_tensor(_HEAD), float(file.get_tensor(_BIAS)[0]))


def store(layers: Tensors, head: Head, note: Mapping[str, str], path: Path = STORED) -> None:
    """Write layers and head to `path`.

    Args:
        layers: by name, float32[out, in], which is kept in bytes, or float32[out].
    """
    tensors: dict[str, NDArray[np.generic]] = {}
    for name, values in layers.items():
        if values.ndim == 2:
            scales = np.maximum(np.abs(values).max(axis=1), np.finfo(np.float32).tiny) / _MOST
            tensors[name] = np.rint(values / scales[:, np.newaxis]).astype(np.int8)
            tensors[name + _SCALES] = scales.astype(np.float32)
        else:
            tensors[name] = values.astype(np.float32)
    tensors[_HEAD], tensors[_BIAS] = head.weight, np.array([head.bias], np.float32)
    save_file(tensors, path, metadata=dict(note))


def _folder(cache_dir: Path) -> Path:
    """A model folder: the measuring model's, with the stored layers in place of its own."""
    folder = cache_dir / f"support-reader-{hashlib.sha256(STORED.read_bytes()).hexdigest()[:12]}"
    if not folder.is_dir():
        base = resolve_model(MODEL).folder
        cache_dir.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=cache_dir))
        try:
            save_file(load_file(base / _WEIGHTS) | _layers(), unfinished / _WEIGHTS)
            for name in _COPIED:
                shutil.copyfile(base / name, unfinished / name)
            unfinished.rename(folder)
        except OSError:
            if not folder.is_dir():  # if it is, another process was as fast
                raise
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def _layers() -> dict[str, NDArray[np.float32]]:
    stored = load_file(STORED)
    return {
        name: values.astype(np.float32)
        * (stored[name + _SCALES][:, np.newaxis] if name + _SCALES in stored else 1)
        for name, values in stored.items()
        if name not in (_HEAD, _BIAS) and not name.endswith(_SCALES)
    }
