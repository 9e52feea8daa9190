"""A model exported to ONNX: the folder that a lean install runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from rag_core.adapters.embedders.model_files import (
    MAX_WORD_PIECES,
    SETTING,
    TOKENIZER,
    Precision,
    embedder_digest,
    read_json,
    sha256_of,
)
from rag_core.errors import ConfigurationError

ONNX_FILE = "model.onnx"
WEIGHTS_FILE = "model.weights"
"""Apart from the graph, so that they are mapped, not read: workers share those pages, and 75 MB
less are each one's own."""

MANIFEST = "export.json"
_PROVEN = {
    ONNX_FILE: "onnx_sha256",
    WEIGHTS_FILE: "onnx_weights_sha256",
    TOKENIZER: "tokenizer_sha256",
}
"""Files that the manifest proves, and under which name."""


@dataclass(frozen=True, slots=True)
class ExportedModel:
    """A folder with `model.onnx` (pooled, unit length), `tokenizer.json` and `export.json`.

    The graph's weights lie beside it; where 0.1.0 made it they are within, and it runs as well.
    """

    folder: Path
    weights_sha256: str
    """Of the weights it was exported from."""
    precision: Precision = Precision.FP32
    """That the graph multiplies in."""

    @property
    def onnx_file(self) -> Path:
        """The graph: int64[n, length] `input_ids` and `attention_mask` -> float32[n, 384]."""
        return self.folder / ONNX_FILE

    @property
    def digest(self) -> str:
        """The same as of the weights themselves: an export is another way to run them."""
        return embedder_digest(self.weights_sha256, self.folder / TOKENIZER, self.precision)


def export_folder(cache_dir: Path, digest: str) -> Path:
    """Where the export of the model of that digest is kept, in the form that is made now."""
    return cache_dir / f"onnx-mapped-{digest[:16]}"


def is_exported(folder: Path) -> bool:
    """Whether `folder` holds an export."""
    return (folder / MANIFEST).is_file()


def write_manifest(
    folder: Path, *, weights_sha256: str, precision: Precision = Precision.FP32
) -> None:
    """Describe the finished files in `folder`, so that `open_exported` can prove them."""
    manifest = {
        "weights_sha256": weights_sha256,
        "precision": precision,
        "pooling": "mean",
        "max_word_pieces": MAX_WORD_PIECES,
    }
    within = not (folder / WEIGHTS_FILE).is_file()  # the weights are in the graph
    names = [name for name in _PROVEN if not (within and name == WEIGHTS_FILE)]
    manifest |= {_PROVEN[name]: sha256_of(folder / name) for name in names}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def open_exported(folder: Path) -> ExportedModel:
    """The export in `folder`.

    Raises:
        ConfigurationError: a file is missing or is not the one that was exported.
    """
    manifest = read_json(folder / MANIFEST)
    for name, key in _PROVEN.items():
        path = folder / name
        if name == WEIGHTS_FILE and key not in manifest:
            continue  # they are in the graph
        if not path.is_file():
            raise ConfigurationError(SETTING, f"{folder} has no {name}", _fix(folder))
        expected, actual = manifest.get(key), sha256_of(path)
        if actual != expected:
            raise ConfigurationError(
                SETTING, f"{path} has SHA-256 {actual}, expected {expected}", _fix(folder)
            )
    precision = manifest.get("precision", Precision.FP32)  # an older export names none
    if precision not in list(Precision):
        problem = f"{folder / MANIFEST} names an unknown precision, {precision!r}"
        raise ConfigurationError(SETTING, problem, _fix(folder))
    return ExportedModel(folder, str(manifest.get("weights_sha256")), Precision(str(precision)))


def _fix(folder: Path) -> str:
    return f"Delete {folder}; it is built again, or comes from: python -m rag_core bundle DIR"
