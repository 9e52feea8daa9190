"""The verifier's settings, and the verifier they describe."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from evals.measures.support import SupportChecker
from evals.measures.validity.verifiers import CrossEncoderVerifier, ServedVerifier
from rag_core.errors import ConfigurationError


class VerifierSettings(BaseSettings):
    """`RAG_VERIFIER_*`: without a model there is no verifier.

    With a base URL the model is the name that the server knows it by; else it is a cross-encoder's
    name on the hub, or a folder.
    """

    model_config = SettingsConfigDict(
        env_prefix="RAG_VERIFIER_", frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    base_url: str | None = Field(None, repr=False)  # it may carry a key
    model: str | None = None
    label: str | None = None
    api_key: SecretStr = SecretStr("")
    timeout_s: float = Field(120.0, gt=0)
    max_retries: int = Field(2, ge=0)
    """How often a call that failed is made again."""


def load_verifier_settings() -> VerifierSettings:
    """The verifier's settings from the environment.

    Raises:
        ConfigurationError: a value cannot be used, or there is a base URL without a model.
    """
    try:
        settings = VerifierSettings()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        raise ConfigurationError(f"RAG_VERIFIER_{name}", first["msg"]) from error
    if settings.base_url and not settings.model:
        raise ConfigurationError(
            "RAG_VERIFIER_MODEL", "is not set", "Name the model that the server is to ask"
        )
    return settings


@asynccontextmanager
async def open_verifier() -> AsyncIterator[SupportChecker | None]:
    """The verifier that the environment names, loaded or connected to; else None."""
    settings = load_verifier_settings()
    if settings.model is None:
        yield None
    elif settings.base_url is None:
        yield await asyncio.to_thread(CrossEncoderVerifier, settings.model, label=settings.label)
    else:
        served = ServedVerifier(
            base_url=settings.base_url,
            model=settings.model,
            api_key=settings.api_key.get_secret_value(),
            max_retries=settings.max_retries,
            timeout_s=settings.timeout_s,
        )
        try:
            yield served
        finally:
            await served.close()
