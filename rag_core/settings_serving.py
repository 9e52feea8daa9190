"""Settings of serving: where the app listens, who may ask, how much, and what operators see."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode

MIN_JWT_SECRET_BYTES = 32
"""As long as the hash of HS256 (RFC 7518, section 3.2)."""

_SAYS_NONE = frozenset({"rag_rate_limits", "rag_rate_limits_all"})
"""Variables that say something when they are empty: no such limit."""
MIN_TRACE_KEY_BYTES = 16
"""Chosen: nobody tries all of so many."""

_LIMIT = re.compile(r"[1-9]\d{0,8}/(second|minute|hour|day)")
_ORIGIN = re.compile(r"https?://[^/\s*]+")


class ServingSettings(BaseSettings):
    """The part of the settings that is about serving over HTTP."""

    # Serving.
    host: str = Field("127.0.0.1", description="0.0.0.0 in a container")
    port: int = Field(8000, ge=0, le=65535, description="0: any that is free")
    workers: int = Field(1, ge=1, le=256, description="processes that share the port")
    shutdown_s: float = Field(20.0, ge=0, description="what is under way may still end")
    body_bytes: int = Field(5_000_000, ge=1_000, description="of a request; a note has 1 M letters")
    body_timeout_s: float = Field(15.0, gt=0, description="by when a request's body has come")
    keep_alive_s: int = Field(
        75, ge=1, description="for an idle connection; longer than a proxy before it keeps its own"
    )
    drain_s: float = Field(
        0.0, ge=0, description="after SIGTERM: new requests are still taken, readiness says down"
    )
    import_characters: int = Field(
        20_000, ge=0, description="a note that is longer is stored in the background: 202"
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="origins of pages that may call the app; none: only its own"
    )
    streaming: bool = Field(True, description="false: answers come whole, as JSON")
    page: bool = Field(True, description="false: no page at /, only the API")

    # Who asks: API keys of `python -m rag_core keys`, and bearer tokens where one of these is set.
    jwt_secret: SecretStr | None = Field(None, description="of HS256; 32 bytes or more")
    jwt_jwks_url: SecretStr | None = Field(None, description="keys of RS256 and ES256")
    jwt_issuer: str | None = Field(None, description="who must have issued a token, where set")
    jwt_audience: str | None = Field(None, description="required where tokens are taken")

    # How much. Sliding windows, shared through Redis; empty behind a gateway that does it.
    rate_limits: Annotated[tuple[str, ...], NoDecode] = Field(
        ("10/minute", "100/hour", "500/day"), description="of each user"
    )
    rate_limits_all: Annotated[tuple[str, ...], NoDecode] = Field(
        ("1000/hour",), description="of all users together"
    )
    rate_limit_plans: Annotated[dict[str, str], NoDecode] = Field(
        {}, description='JSON: limits by plan or user, as in {"pro": "60/minute, 5000/day"}'
    )
    concurrent_queries: int = Field(
        100, ge=0, le=100_000, description="that no cache answers, in a process; 0: sheds nobody"
    )

    # What a question may choose: its provider, temperature and fewer tokens; a key of its asker's.
    answer_options: bool = Field(False, description="true: a question may say who answers, and how")
    own_provider_keys: bool = Field(
        False, description="true: and send the key that its answer is paid by, X-Provider-Key"
    )

    # A canary: some users are answered by other settings.
    canary_percent: float = Field(
        0.0, ge=0, le=100, description="percent of users, by a hash of their id"
    )
    canary_settings: Annotated[dict[str, Any], NoDecode] = Field(
        {}, description='JSON: settings of the pipeline, as in {"top_k": 8}'
    )

    # Switches: what can be left out of the pipeline. A cache is switched off by RAG_CACHE=off,
    # limits by an empty list, providers by RAG_PROVIDERS, hedging by RAG_HEDGING.
    breakers: bool = Field(True, description="false: every call is made, whatever failed before")
    budgets: bool = Field(True, description="false: nothing is held back, all is still booked")

    # What operators see.
    metrics: Literal["prometheus", "otlp", "none"] = Field(
        "prometheus", description="prometheus: at GET /metrics"
    )
    traces: Literal["otlp", "none"] = Field("none", description="a span for each step of a request")
    otlp_endpoint: SecretStr | None = Field(None, description="http://collector:4318")
    log_format: Literal["text", "json"] = Field("text", description="json: a line for each event")
    trace_file: Path | None = Field(
        None, description="record who asked what when, hashed, for the cache notebook; .jsonl"
    )
    trace_key: SecretStr | None = Field(
        None, description="of the hashes in it; 16 bytes or more, and the same for all processes"
    )

    @field_validator("jwt_secret")
    @classmethod
    def _long(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret and len(secret.get_secret_value().encode()) < MIN_JWT_SECRET_BYTES:
            raise ValueError(
                f"must have {MIN_JWT_SECRET_BYTES} bytes or more: openssl rand -hex 32"
            )
        return secret

    @field_validator("trace_key")
    @classmethod
    def _unguessable(cls, key: SecretStr | None) -> SecretStr | None:
        if key and len(key.get_secret_value().encode()) < MIN_TRACE_KEY_BYTES:
            raise ValueError(f"must have {MIN_TRACE_KEY_BYTES} bytes or more: openssl rand -hex 32")
        return key

    @field_validator("trace_file")
    @classmethod
    def _lines(cls, path: Path | None) -> Path | None:
        if path and path.suffix != ".jsonl":
            raise ValueError("must end in .jsonl, which is what it holds")
        return path

    @model_validator(mode="after")
    def _chosen(self) -> Self:
        if self.own_provider_keys and not self.answer_options:
            raise ValueError(
                "RAG_OWN_PROVIDER_KEYS needs RAG_ANSWER_OPTIONS=true: a key is for one"
            )
        return self

    @model_validator(mode="after")
    def _hashed(self) -> Self:
        if self.trace_file and not self.trace_key:
            raise ValueError("RAG_TRACE_FILE needs RAG_TRACE_KEY, as from: openssl rand -hex 32")
        return self

    @model_validator(mode="after")
    def _meant_for_us(self) -> Self:
        if (self.jwt_secret or self.jwt_jwks_url) and not self.jwt_audience:
            raise ValueError(
                "RAG_JWT_AUDIENCE must be set where tokens are taken (RAG_JWT_SECRET, "
                "RAG_JWT_JWKS_URL), or a token for another service would do here"
            )
        return self

    @field_validator("rate_limits", "rate_limits_all", "cors_origins", mode="before")
    @classmethod
    def _listed(cls, values: object) -> object:
        return listed(values) if isinstance(values, str) else values

    @field_validator("rate_limit_plans", "canary_settings", mode="before")
    @classmethod
    def _objects(cls, value: object) -> object:
        try:
            return json.loads(value) if isinstance(value, str) else value
        except ValueError as error:
            raise ValueError(f"is not JSON: {error}") from None

    @field_validator("rate_limits", "rate_limits_all")
    @classmethod
    def _limits(cls, limits: tuple[str, ...]) -> tuple[str, ...]:
        for limit in limits:
            if not _LIMIT.fullmatch(limit):
                raise ValueError(f"must be like 10/minute, 100/hour, 500/day, got {limit!r}")
        return limits

    @field_validator("rate_limit_plans")
    @classmethod
    def _plans(cls, plans: dict[str, str]) -> dict[str, str]:
        for limits in plans.values():
            cls._limits(listed(limits))
        return plans

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"must be like https://notes.example.org, got {origin!r}")
        return origins


def listed(values: str) -> tuple[str, ...]:
    """The parts of a setting that commas separate."""
    return tuple(value.strip() for value in values.split(",") if value.strip())


def saying_something(variables: Mapping[str, str | None]) -> dict[str, str | None]:
    """The variables without the empty ones, which are as good as none; empty limits are none."""
    return {n: value for n, value in variables.items() if value or n.lower() in _SAYS_NONE}
