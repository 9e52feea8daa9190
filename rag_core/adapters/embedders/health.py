"""Whether the embedding model is there and the right one, without loading it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from rag_core.adapters.embedders.backend import torch_files
from rag_core.adapters.embedders.export import check_exportable
from rag_core.adapters.embedders.exported import export_folder, is_exported, open_exported
from rag_core.adapters.embedders.model_files import PACKAGED, SETTING, ModelFiles, resolve_model
from rag_core.domain.findings import Finding, fail, ok, warn

_TORCH = ("torch", "sentence_transformers")


def examine(model: str, *, backend: str, cache_dir: Path) -> list[Finding]:
    """What is true of `model`; takes what it takes to read its files once.

    Raises:
        ConfigurationError: it is not there, or not the right one.
    """
    missing = [name for name in _TORCH if backend == "torch" and find_spec(name) is None]
    if missing:
        names = " and ".join(missing)
        return [fail("model", f"RAG_EMBEDDER_BACKEND=torch lacks {names}", "Install it, or: onnx")]
    folder = Path(model).expanduser()
    if backend != "torch" and is_exported(folder):
        digest = open_exported(folder).digest
        return [ok("model", f"{folder.name}, an exported model, digest {digest[:12]}")]
    is_path = folder.is_dir() or model.startswith((".", "/", "~"))
    if model not in PACKAGED and not is_path and model.count("/") == 1:
        return [
            warn(
                "model",
                f"{model} comes from a hub, which was not asked",
                f"Give a folder as {SETTING} for a host without a network",
            )
        ]
    if backend == "torch":
        return [ok("model", _told(model, torch_files(model)))]
    return _of_files(model, resolve_model(model), cache_dir)


def _told(model: str, files: ModelFiles) -> str:
    return f"{model}, digest {files.digest[:12]}"


def _of_files(model: str, files: ModelFiles, cache_dir: Path) -> list[Finding]:
    exported = export_folder(cache_dir, files.digest)
    told = _told(model, files)
    if is_exported(exported):
        open_exported(exported)
        return [ok("model", f"{told}, exported")]
    check_exportable(files)
    return [ok("model", f"{told}; it is exported on first use, which takes a while")]
