"""Settings of the providers: who is asked, in which order, where and at what price.

`RAG_PROVIDERS` names them. Each but `huggingface` is set by `RAG_PROVIDER_<NAME>_<FIELD>`, the
fields being those of ProviderSettings; `huggingface` by `RAG_HF_*` and `RAG_PRICE_*`, and by
nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import EnvSettingsSource, PydanticBaseSettingsSource

from rag_core.domain.cost import FREE, Prices
from rag_core.domain.server_url import HTTP, check_url
from rag_core.errors import ConfigurationError
from rag_core.settings_files import refuse_unreadable

if TYPE_CHECKING:
    from rag_core.settings import Settings

HUGGING_FACE = "huggingface"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_EXAMPLE = "http://localhost:8000/v1"


@dataclass(frozen=True, slots=True)
class _Preset:
    """What is known of a provider before anything is set."""

    base_url: str
    needs_key: bool = True
    prices: Prices | None = None


PRESETS = {
    "groq": _Preset("https://api.groq.com/openai/v1"),
    "openai": _Preset("https://api.openai.com/v1"),
    "local": _Preset("http://127.0.0.1:8000/v1", needs_key=False, prices=FREE),
}
"""Providers whose base URL need not be set; `huggingface` has settings of its own."""


class ProviderSettings(BaseModel):
    """What `RAG_PROVIDER_<NAME>_…` says of one provider; prices are US dollars a token."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, protected_namespaces=()
    )

    base_url: SecretStr | None = Field(None, description="known for groq, openai and local")
    model: str | None = Field(None, description="as the provider calls it; required")
    key: SecretStr | None = Field(None, description="required of groq and openai")
    price_input_usd: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="US dollars a token; 0 where it is free"
    )
    price_output_usd: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="US dollars a token; 0 where it is free"
    )
    timeout_s: float = Field(30.0, gt=0, allow_inf_nan=False, description="for a call as a whole")

    @field_validator("*", mode="before")
    @classmethod
    def _from_its_file(cls, value: Any) -> Any:
        return refuse_unreadable(value)

    @field_validator("base_url")
    @classmethod
    def _readable(cls, url: SecretStr | None) -> SecretStr | None:
        return checked_url(url, HTTP, _EXAMPLE)


_FIELDS = tuple(ProviderSettings.model_fields)
_VARIABLE = re.compile(rf"rag_provider_({_NAME.pattern})_({'|'.join(_FIELDS)})")
_HUGGING_FACES_OWN = dict(
    zip(_FIELDS, ("HF_BASE_URL", "HF_MODEL", "HF_TOKEN", "PRICE_INPUT_USD", "PRICE_OUTPUT_USD",
                  "HF_TIMEOUT_S"), strict=True)
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderOptions:
    """A provider as it is to be asked; `base_url` None is Hugging Face's own routing.

    `timeout_s` is in seconds, for a call as a whole.
    """

    name: str
    base_url: SecretStr | None
    model: str
    key: SecretStr | None
    prices: Prices
    timeout_s: float


class ProviderVariables(PydanticBaseSettingsSource):
    """The variables of the providers, taken out of the source that read them."""

    def __init__(self, settings_cls: type[Any], source: PydanticBaseSettingsSource) -> None:
        super().__init__(settings_cls)
        assert isinstance(source, EnvSettingsSource)  # the environment, or a file
        self._values: dict[str, dict[str, Any]] = {}
        others = {}
        for variable, value in source.env_vars.items():
            if owned := _VARIABLE.fullmatch(variable.lower()):
                self._values.setdefault(owned[1], {})[owned[2]] = value
            else:
                others[variable] = value
        source.env_vars = others

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        """All that it holds is one field."""
        return self._values, "provider", False

    def __call__(self) -> dict[str, Any]:
        """What the source said, by the provider's name and the field."""
        return {"provider": self._values} if self._values else {}


def configured_providers(settings: Settings) -> tuple[ProviderOptions, ...]:
    """Who is to be asked, in the order of RAG_PROVIDERS; none means extractive answers.

    RAG_GENERATOR `auto` takes those that have a key or a base URL, `providers` all that are named.

    Raises:
        ConfigurationError: one of them lacks a setting.
    """
    if settings.generator == "extractive":
        return ()
    for problem in provider_problems(settings):
        raise problem
    every = settings.generator == "providers"
    chosen = [name for name in settings.providers if every or _is_configured(settings, name)]
    return tuple(_options(settings, name) for name in chosen)


def provider_problems(settings: Settings) -> Iterator[ConfigurationError]:
    """What names a provider that there is not, in RAG_PROVIDERS or in the name of a variable."""
    for name, own in settings.provider.items():
        for field in sorted(own.model_fields_set):
            if name == HUGGING_FACE:
                meant = f"Did you mean RAG_{_HUGGING_FACES_OWN[field]}?"
                yield ConfigurationError(provider_variable(name, field), "is not a setting", meant)
            elif name not in PRESETS and name not in settings.providers:
                yield _of_nobody(name, field, settings.providers)
    for name in settings.providers:
        if name not in (HUGGING_FACE, *PRESETS) and not _own(settings, name).base_url:
            yield _unknown_provider(name)


def checked_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names of providers, each once, as a variable's name can hold them.

    Raises:
        ValueError: says which name is none, or stands twice.
    """
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no provider's name: a-z, 0-9 and _, a letter first")
    if len(set(names)) < len(names):
        raise ValueError("names a provider twice")
    return tuple(names)


def checked_url(url: SecretStr | None, schemes: Sequence[str], example: str) -> SecretStr | None:
    """The URL, if two readers cannot read it differently.

    Raises:
        ValueError: says what is wrong without quoting it.
    """
    if url:
        try:
            check_url(url.get_secret_value(), setting="", schemes=schemes, example=example)
        except ConfigurationError as error:
            raise ValueError(f"{error.problem}. {error.fix}") from None
    return url


def provider_variable(name: str, field: str) -> str:
    """The variable that sets `field` of the provider `name`."""
    return f"RAG_PROVIDER_{name}_{field}".upper()


def is_provider_variable(variable: str) -> bool:
    """Whether it has the form of one, whoever the provider is."""
    return _VARIABLE.fullmatch(variable.lower()) is not None


def is_secret_of_provider(variable: str) -> bool:
    """Whether it has the form of a provider's variable that is a secret."""
    owned = _VARIABLE.fullmatch(variable.lower())
    return owned is not None and "SecretStr" in str(ProviderSettings.model_fields[owned[2]])


def provider_variables_like(variable: str) -> list[str]:
    """Those of the presets, and of the provider that `variable` might be one of."""
    begun = variable.lower().removeprefix("rag_provider_").partition("_")[0]
    return [provider_variable(name, field) for name in (*PRESETS, begun) for field in _FIELDS]


def provider_defaults(variables: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The defaults of the fields that `variables` set, by the provider's name."""
    defaults: dict[str, dict[str, Any]] = {}
    for variable in variables:
        if owned := _VARIABLE.fullmatch(variable.lower()):
            default = ProviderSettings.model_fields[owned[2]].get_default()
            defaults.setdefault(owned[1], {})[owned[2]] = default
    return defaults


def _own(settings: Settings, name: str) -> ProviderSettings:
    return settings.provider.get(name) or ProviderSettings()


def _is_configured(settings: Settings, name: str) -> bool:
    if name == HUGGING_FACE:
        return bool(settings.hf_token or settings.hf_base_url)
    own, preset = _own(settings, name), PRESETS.get(name)
    return bool(own.key or own.base_url or (preset and not preset.needs_key))


def _options(settings: Settings, name: str) -> ProviderOptions:
    if name == HUGGING_FACE:
        return _hugging_face(settings)
    own, preset = _own(settings, name), PRESETS.get(name)
    if preset and preset.needs_key and not (own.key or own.base_url):
        raise _lacking(name, "key")
    if not own.model:
        raise _lacking(name, "model")
    return ProviderOptions(
        name=name,
        base_url=own.base_url or (SecretStr(preset.base_url) if preset else None),
        model=own.model,
        key=own.key,
        prices=_prices(name, own, preset),
        timeout_s=own.timeout_s,
    )


def _prices(name: str, own: ProviderSettings, preset: _Preset | None) -> Prices:
    """What no budget could count without: they have no default but where all is free."""
    default = preset.prices if preset else None
    found = []
    for field in ("price_input_usd", "price_output_usd"):
        price = getattr(own, field)
        if price is None and default is None:
            raise _lacking(name, field, "Set it, to 0 if it is free: budgets rest on it")
        found.append(0.0 if price is None else price)
    return Prices(*found)


def _hugging_face(settings: Settings) -> ProviderOptions:
    if not (settings.hf_token or settings.hf_base_url):
        raise ConfigurationError(
            "RAG_HF_TOKEN",
            "is not set, but RAG_GENERATOR is providers and RAG_PROVIDERS names huggingface",
            "Set it, or RAG_HF_BASE_URL, or RAG_GENERATOR=auto",
        )
    return ProviderOptions(
        name=HUGGING_FACE,
        base_url=settings.hf_base_url,
        model=settings.hf_model,
        key=settings.hf_token,
        prices=Prices(settings.price_input_usd, settings.price_output_usd),
        timeout_s=settings.hf_timeout_s,
    )


def _lacking(name: str, field: str, fix: str = "") -> ConfigurationError:
    variable = provider_variable(name, field)
    fix = fix or f"Set it, or take {name} out of RAG_PROVIDERS"
    return ConfigurationError(variable, f"is not set, but RAG_PROVIDERS names {name}", fix)


def _of_nobody(name: str, field: str, providers: Sequence[str]) -> ConfigurationError:
    close = get_close_matches(name, (*providers, *PRESETS), n=1)
    fix = f"Did you mean {provider_variable(close[0], field)}?" if close else ""
    problem = f"is not a setting: RAG_PROVIDERS does not name {name}"
    return ConfigurationError(provider_variable(name, field), problem, fix)


def _unknown_provider(name: str) -> ConfigurationError:
    close = get_close_matches(name, (HUGGING_FACE, *PRESETS), n=1)
    meant = f"Did you mean {close[0]}? Else set" if close else "Set"
    problem = f"names {name}, whose base URL is not known"
    return ConfigurationError(
        "RAG_PROVIDERS", problem, f"{meant} {provider_variable(name, 'base_url')}"
    )
