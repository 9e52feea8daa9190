"""Settings of a canary: which ones it may have of its own, and what they amount to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from rag_core.errors import ConfigurationError
from rag_core.settings_classes import CLASS_SETTINGS

if TYPE_CHECKING:
    from rag_core.settings import Settings

CANARY_SETTINGS: Final = frozenset(
    {
        *("search_mode", "search_method", "ef_search", "exact_up_to", "top_k"),
        "lexical_weight",
        *("min_score", "min_answerability", "prompt_file"),
        *("question_tokens", "context_tokens", "output_tokens"),
        *CLASS_SETTINGS,
        *("generator", "providers", "hedging", "hf_model", "hf_timeout_s"),
        *("price_input_usd", "price_output_usd"),
        *("provider_concurrency", "provider_queue_s", "provider_retries", "breakers"),
        *("cache", "redis_budget_s", "max_staleness_s", "ttl_jitter"),
        *("answer_soft_ttl_s", "answer_hard_ttl_s", "context_ttl_s", "context_cache_bytes"),
    }
)
"""Settings that a pipeline may have for itself. All others are of what pipelines share: servers,
connections, stored vectors, the ledger and its budgets, breakers' rules; or they are secrets."""

_VARIABLE = "RAG_CANARY_SETTINGS"


def canary_of(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """The settings of a canary that differs by `changes`: these `settings` where it does not.

    Raises:
        ConfigurationError: one of them is no setting, none of a pipeline, or cannot be used.
    """
    if not changes:
        return settings
    for name in changes:
        if name not in CANARY_SETTINGS:
            raise ConfigurationError(_VARIABLE, *_why_not(name, type(settings)))
    if changes.get("cache", "off") not in ("off", settings.cache):
        raise ConfigurationError(_VARIABLE, "cache can only be off: the stores are everyone's")
    kept = {name: getattr(settings, name) for name in type(settings).model_fields}
    try:
        return type(settings)(**kept | {"canary_settings": {}} | dict(changes))
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        problem = first["msg"].removeprefix("Value error, ")
        raise ConfigurationError(_VARIABLE, f"{where}: {problem}".removeprefix(": ")) from None


def canary_problems(settings: Settings) -> Iterator[ConfigurationError]:
    """What is wrong with the settings of the canary."""
    try:
        canary_of(settings, settings.canary_settings)
    except ConfigurationError as error:
        yield error


def _why_not(name: str, kind: type[Settings]) -> tuple[str, str]:
    known = f"Known are: {', '.join(sorted(CANARY_SETTINGS))}"
    if name in kind.model_fields:
        return f"{name!r} is not a setting of the pipeline alone", known
    close = get_close_matches(name.lower().removeprefix("rag_"), CANARY_SETTINGS, n=1)
    return f"{name!r} is not a setting", f"Did you mean {close[0]}?" if close else known
