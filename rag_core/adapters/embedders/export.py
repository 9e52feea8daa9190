"""Build the ONNX graph of a model once; everything after runs on onnxruntime alone."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from rag_core.adapters.embedders.exported import (
    ONNX_FILE,
    WEIGHTS_FILE,
    ExportedModel,
    export_folder,
    is_exported,
    open_exported,
    write_manifest,
)
from rag_core.adapters.embedders.model_files import (
    SETTING,
    TOKENIZER,
    ModelFiles,
    resolve_model,
)
from rag_core.errors import ConfigurationError

if TYPE_CHECKING:
    from onnx import ModelProto

_NEEDED = ("onnx", "safetensors")


def export_once(files: ModelFiles, cache_dir: Path) -> ExportedModel:
    """The export of `files` under `cache_dir`, made now if no process made it before.

    Raises:
        ConfigurationError: it has to be made, but cannot be: see `export`.
    """
    folder = export_folder(cache_dir, files.digest)
    with _usable(cache_dir):
        if not is_exported(folder):
            cache_dir.mkdir(parents=True, exist_ok=True)
            with _locked(cache_dir / f"{folder.name}.lock"):
                if not is_exported(folder):  # another process may have made it while we waited
                    export(files, folder)
        return open_exported(folder)


def export(files: ModelFiles, folder: Path) -> None:
    """Write `files` as ONNX to `folder`, whole or not at all; what was there is replaced.

    Raises:
        ConfigurationError: the packages for it are not installed, or the model is not a BERT.
    """
    check_exportable(files)
    from rag_core.adapters.embedders.bert_graph import bert_graph

    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write_graph(bert_graph(files.folder, files.precision), unfinished)
        shutil.copyfile(files.tokenizer, unfinished / TOKENIZER)
        write_manifest(unfinished, weights_sha256=files.weights_sha256, precision=files.precision)
        unfinished.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _write_graph(graph: ModelProto, folder: Path) -> None:
    from onnx import save_model

    save_model(graph, folder / ONNX_FILE, save_as_external_data=True, location=WEIGHTS_FILE)
    (folder / WEIGHTS_FILE).chmod(0o644)  # as the others, whoever runs it


def export_model(model: str, folder: Path) -> None:
    """Write `model`, whatever `load_embedder` takes, to `folder`; an export is proved and copied.

    Raises:
        ConfigurationError: it is missing or wrong, or cannot be built here.
    """
    exported = Path(model).expanduser()
    if not is_exported(exported):
        export(resolve_model(model), folder)
    elif exported.resolve() != folder.resolve():
        shutil.copytree(open_exported(exported).folder, folder, dirs_exist_ok=True)


def check_exportable(files: ModelFiles) -> None:
    """Refuse when the packages that an export takes are not installed.

    Raises:
        ConfigurationError: names them.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            SETTING,
            f"{files.folder} has to be built as ONNX, but {' and '.join(missing)} "
            "is not installed here",
            "In a checkout after make install, run: python -m rag_core bundle DIR; "
            f"copy DIR here and set {SETTING}=DIR/embedder",
        )


@contextmanager
def _usable(cache_dir: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigurationError(
            "RAG_HOME",
            f"{error.filename or cache_dir} cannot be used ({error.strerror or error})",
            f"Set it to a folder that this user may write in, or {SETTING} to an exported folder",
        ) from error


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the kernel's lock on `path`; it ends with the process, however that ends."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
