"""The judge's settings, and the judge they describe."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from evals.measures.judge import Judge
from evals.measures.judge_cache import JudgeBudget, JudgeCache
from rag_core.domain import Prices
from rag_core.errors import ConfigurationError


class JudgeSettings(BaseSettings):
    """`RAG_JUDGE_*`: without a base URL and a model there is no judge, and nothing is judged."""

    model_config = SettingsConfigDict(
        env_prefix="RAG_JUDGE_", frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    base_url: str | None = Field(None, repr=False)  # it may carry a key
    model: str | None = None
    api_key: SecretStr = SecretStr("")
    price_input_usd: float = Field(Prices().input_usd, ge=0)
    price_output_usd: float = Field(Prices().output_usd, ge=0)
    repeats: int = Field(1, ge=1, le=10)


def load_judge_settings() -> JudgeSettings:
    """The judge's settings from the environment.

    Raises:
        ConfigurationError: a value cannot be used, or only one of base URL and model is set.
    """
    try:
        settings = JudgeSettings()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        raise ConfigurationError(f"RAG_JUDGE_{name}", first["msg"]) from error
    if bool(settings.base_url) != bool(settings.model):
        missing = "MODEL" if settings.base_url else "BASE_URL"
        raise ConfigurationError(
            f"RAG_JUDGE_{missing}", "is not set", "A judge needs RAG_JUDGE_BASE_URL and _MODEL"
        )
    return settings


@asynccontextmanager
async def open_judge(cache_folder: Path, max_usd: float) -> AsyncIterator[Judge | None]:
    """The judge that the environment names, with its replies kept in `cache_folder`; else None."""
    settings = load_judge_settings()
    if not (settings.base_url and settings.model):
        yield None
        return
    judge = Judge(
        base_url=settings.base_url,
        model=settings.model,
        cache=JudgeCache(cache_folder),
        budget=JudgeBudget(max_usd, Prices(settings.price_input_usd, settings.price_output_usd)),
        api_key=settings.api_key.get_secret_value(),
        repeats=settings.repeats,
    )
    try:
        yield judge
    finally:
        await judge.close()
