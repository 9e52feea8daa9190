"""Export a model to ONNX once, so that everything after runs without torch.

`python -m rag_core.adapters.embedders.export MODEL DIR` writes a folder that a lean install
runs: copy it there and set `RAG_EMBEDDER_MODEL` to its path.
"""

from __future__ import annotations

import argparse
import fcntl
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from rag_core.adapters.embedders.exported import (
    ONNX_FILE,
    ExportedModel,
    is_exported,
    open_exported,
    write_manifest,
)
from rag_core.adapters.embedders.model_files import SETTING, ModelFiles, resolve_model
from rag_core.errors import ConfigurationError, RagError

OPSET = 17
_NEEDED = ("torch", "transformers", "onnx")


def export_once(files: ModelFiles, cache_dir: Path) -> ExportedModel:
    """The export of `files` under `cache_dir`, made now if no process made it before.

    The work runs in a process of its own: torch never enters this one's memory.

    Raises:
        ConfigurationError: it has to be exported, but torch is not installed.
    """
    folder = cache_dir / f"onnx-{files.digest[:16]}"
    with _usable(cache_dir):
        if not is_exported(folder):
            check_exportable(files)
            cache_dir.mkdir(parents=True, exist_ok=True)
            with _locked(cache_dir / f"{folder.name}.lock"):
                if not is_exported(folder):  # another process may have made it while we waited
                    _export_in_subprocess(files, folder)
        return open_exported(folder)


def export(files: ModelFiles, folder: Path) -> None:
    """Write `files` as fp32 ONNX to `folder`, whole or not at all; what was there is replaced."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _trace(files.folder, unfinished / ONNX_FILE)
        shutil.copyfile(files.folder / "tokenizer.json", unfinished / "tokenizer.json")
        write_manifest(unfinished, weights_sha256=files.weights_sha256)
        unfinished.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def main(arguments: list[str] | None = None) -> int:
    """The command line; prints where the export lies."""
    parser = argparse.ArgumentParser(prog="python -m rag_core.adapters.embedders.export")
    parser.add_argument("model", help="package name, folder or hub name of the model")
    parser.add_argument("folder", type=Path, help="where to write; replaced if it is an export")
    options = parser.parse_args(arguments)
    folder: Path = options.folder.resolve()
    try:
        files = resolve_model(options.model)
        check_exportable(files)
        _check_replaceable(folder)
        export(files, folder)
    except RagError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(f"Exported to {folder}; run it with {SETTING}={folder}")
    return 0


def check_exportable(files: ModelFiles) -> None:
    """Refuse when the packages that an export takes are not installed.

    Raises:
        ConfigurationError: names them.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            SETTING,
            f"{files.folder} has to be exported to ONNX, but {', '.join(missing)} "
            "is not installed here",
            "Where rag_core[models] is installed, run: python -m "
            f"rag_core.adapters.embedders.export MODEL DIR; copy DIR here and set {SETTING} to it",
        )


def _check_replaceable(folder: Path) -> None:
    if folder.exists() and not is_exported(folder) and any(folder.iterdir()):
        raise ConfigurationError(
            "folder", f"{folder} holds other files", "Give a new or an empty folder"
        )


def _export_in_subprocess(files: ModelFiles, folder: Path) -> None:
    root = Path(__file__).resolve().parents[3]  # where `rag_core` can be imported from
    command = [sys.executable, "-m", __name__, str(files.folder), str(folder.resolve())]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = (done.stderr.strip() or "no message").splitlines()[-1]
        raise ConfigurationError(
            SETTING, f"{files.folder} could not be exported: {reason}", f"Run: {' '.join(command)}"
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


def _trace(folder: Path, onnx_file: Path) -> None:
    import torch

    from rag_core.adapters.embedders.pooled import PooledModel

    # A padded batch: with a mask of ones only, the model's own shortcut would be traced.
    pieces = torch.tensor([[101, 7592, 2088, 102], [101, 7592, 102, 0]])
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])
    dynamic = {0: "texts", 1: "pieces"}
    with torch.inference_mode():
        torch.onnx.export(
            PooledModel(folder),
            (pieces, mask),
            str(onnx_file),
            dynamo=False,
            opset_version=OPSET,
            input_names=["input_ids", "attention_mask"],
            output_names=["vectors"],
            dynamic_axes={"input_ids": dynamic, "attention_mask": dynamic, "vectors": {0: "texts"}},
        )


if __name__ == "__main__":
    sys.exit(main())
