"""Loading an embedder for the backend that the settings name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rag_core.errors import ConfigurationError

if TYPE_CHECKING:
    from rag_core.adapters.embedders.model_files import ModelFiles
    from rag_core.domain.ranking import Embedder

Backend = Literal["onnx", "torch"]


def load_embedder(
    model: str, *, backend: Backend = "onnx", cache_dir: Path, threads: int | None = None
) -> Embedder:
    """Load `model` (a package name, a folder, an exported folder or a hub name) for `backend`.

    `:int8` after its name has onnx run it in bytes.

    Blocks: 0.6 s for onnx once built under `cache_dir`, some 3 s the first time; 6 s for torch.
    `threads` bounds the cores that bulk work takes; None means all.

    Raises:
        ConfigurationError: the model or what the backend needs is missing or wrong.
    """
    if backend == "torch":
        return _load_torch(model, threads)
    return _load_onnx(model, cache_dir, threads)


def _load_onnx(model: str, cache_dir: Path, threads: int | None) -> Embedder:
    from rag_core.adapters.embedders.export import export_once
    from rag_core.adapters.embedders.exported import is_exported, open_exported
    from rag_core.adapters.embedders.model_files import resolve_model
    from rag_core.adapters.embedders.onnx import OnnxEmbedder

    folder = Path(model).expanduser()
    if is_exported(folder):
        return OnnxEmbedder(open_exported(folder), threads=threads)
    return OnnxEmbedder(export_once(resolve_model(model), cache_dir), threads=threads)


def _load_torch(model: str, threads: int | None) -> Embedder:
    from rag_core.adapters.embedders.sentence_transformers import SentenceTransformersEmbedder

    return SentenceTransformersEmbedder(torch_files(model), threads=threads)


def torch_files(model: str) -> ModelFiles:
    """The files of `model`, which torch can run.

    Raises:
        ConfigurationError: they are not there, or onnxruntime alone runs it.
    """
    from rag_core.adapters.embedders.exported import is_exported
    from rag_core.adapters.embedders.model_files import SETTING, Precision, resolve_model

    if is_exported(Path(model).expanduser()):
        raise ConfigurationError(
            SETTING, f"{model} is an ONNX export", "Use the onnx backend, or name the weights"
        )
    files = resolve_model(model)
    if files.precision is not Precision.FP32:
        problem = f"{model} is run by onnxruntime alone"
        raise ConfigurationError(SETTING, problem, "Use the onnx backend, or name it without :int8")
    return files
