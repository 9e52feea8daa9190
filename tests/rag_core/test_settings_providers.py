"""Providers by name: which are asked, what each needs, and every typo named."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag_core.errors import ConfigurationError
from rag_core.settings import Settings, examine_settings, load_settings
from rag_core.settings_providers import configured_providers

GROQ = {
    "RAG_PROVIDERS": "groq",
    "RAG_PROVIDER_GROQ_KEY": "gsk_hush",
    "RAG_PROVIDER_GROQ_MODEL": "llama-3.1-8b-instant",
    "RAG_PROVIDER_GROQ_PRICE_INPUT_USD": "5e-8",
    "RAG_PROVIDER_GROQ_PRICE_OUTPUT_USD": "8e-8",
}


def set_all(environment: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        environment.setenv(name, value)


def names(settings: Settings) -> list[str]:
    return [each.name for each in configured_providers(settings)]


def test_without_any_setting_nobody_is_asked() -> None:
    assert names(load_settings()) == []


def test_a_preset_knows_the_base_url_and_the_rest_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_all(monkeypatch, {**GROQ, "RAG_PROVIDER_GROQ_TIMEOUT_S": "7"})
    (groq,) = configured_providers(load_settings())
    assert groq.base_url is not None
    assert groq.base_url.get_secret_value() == "https://api.groq.com/openai/v1"
    assert (groq.model, groq.timeout_s) == ("llama-3.1-8b-instant", 7)
    assert (groq.prices.input_usd, groq.prices.output_usd) == (5e-8, 8e-8)
    assert "hush" not in f"{groq!r} {load_settings()!r} {load_settings().model_dump_json()}"


def test_the_environment_wins_over_the_file_field_by_field(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "some.env"
    file.write_text("".join(f"{name}={value}\n" for name, value in GROQ.items()))
    monkeypatch.setenv("RAG_PROVIDER_GROQ_MODEL", "another")
    (groq,) = configured_providers(load_settings(file))
    assert (groq.model, groq.prices.input_usd) == ("another", 5e-8)


def test_auto_leaves_out_who_has_no_key_and_providers_refuses_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_all(monkeypatch, {**GROQ, "RAG_PROVIDERS": "openai, groq,huggingface,local"})
    monkeypatch.setenv("RAG_PROVIDER_LOCAL_MODEL", "m")
    assert names(load_settings()) == ["groq", "local"]
    monkeypatch.setenv("RAG_HF_TOKEN", "hf_x")
    assert names(load_settings()) == ["groq", "huggingface", "local"]
    monkeypatch.setenv("RAG_GENERATOR", "providers")
    with pytest.raises(ConfigurationError, match="RAG_PROVIDER_OPENAI_KEY"):
        names(load_settings())
    monkeypatch.setenv("RAG_GENERATOR", "extractive")
    assert names(load_settings()) == []


def test_a_local_provider_needs_no_key_and_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, {"RAG_PROVIDERS": "local", "RAG_PROVIDER_LOCAL_MODEL": "m"})
    (local,) = configured_providers(load_settings())
    assert (local.key, local.prices.input_usd, local.prices.output_usd) == (None, 0, 0)


def test_what_a_provider_lacks_is_named(
    monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    """A price as well: a budget that counted it as 0 would be none."""
    for lacking in ("MODEL", "PRICE_INPUT_USD", "PRICE_OUTPUT_USD"):
        variable = f"RAG_PROVIDER_GROQ_{lacking}"
        with subtests.test(variable=variable), monkeypatch.context() as environment:
            set_all(environment, {k: v for k, v in GROQ.items() if k != variable})
            with pytest.raises(ConfigurationError) as raised:
                configured_providers(load_settings())
            assert raised.value.setting == variable


def test_a_mistyped_variable_or_name_is_an_error_with_the_one_that_was_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    for variable, value, named, meant in [
        ("RAG_PROVIDER_GROQ_MODLE", "m", "RAG_PROVIDER_GROQ_MODLE", "RAG_PROVIDER_GROQ_MODEL"),
        ("RAG_PROVIDER_GORQ_KEY", "k", "RAG_PROVIDER_GORQ_KEY", "RAG_PROVIDER_GROQ_KEY"),
        ("RAG_PROVIDER_ACME_KAY", "k", "RAG_PROVIDER_ACME_KAY", "RAG_PROVIDER_ACME_KEY"),
        ("RAG_PROVIDER_HUGGINGFACE_KEY", "k", "RAG_PROVIDER_HUGGINGFACE_KEY", "RAG_HF_TOKEN"),
        ("RAG_PROVIDERS", "gorq", "RAG_PROVIDERS", "groq"),
        ("RAG_PROVIDER", "groq", "RAG_PROVIDER", "RAG_PROVIDERS"),
    ]:
        expected = rf"^{named}: .*Did you mean {meant}\?"
        with subtests.test(variable=variable, by="environment"), monkeypatch.context() as around:
            around.setenv(variable, value)
            with pytest.raises(ConfigurationError, match=expected):
                load_settings()
        with subtests.test(variable=variable, by="file"):
            file = tmp_path / "some.env"
            file.write_text(f"{variable}={value}\n")
            with pytest.raises(ConfigurationError, match=expected):
                load_settings(file)


def test_a_value_that_cannot_be_used_names_its_variable_and_leaves_the_rest_in_force(
    monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    for variable, value in [
        ("RAG_PROVIDER_GROQ_TIMEOUT_S", "0"),
        ("RAG_PROVIDER_GROQ_PRICE_INPUT_USD", "-1"),
        ("RAG_PROVIDER_GROQ_PRICE_OUTPUT_USD", "inf"),
        ("RAG_PROVIDER_GROQ_BASE_URL", "https://me:hush@hush@host"),
        ("RAG_PROVIDERS", "groq,groq"),
        ("RAG_PROVIDERS", "Groq!"),
    ]:
        with subtests.test(variable=variable, value=value), monkeypatch.context() as environment:
            set_all(environment, {**GROQ, "RAG_TOP_K": "7", variable: value})
            settings, (problem,) = examine_settings()
            assert problem.setting == variable
            assert "hush" not in str(problem)
            assert settings.top_k == 7
            assert settings.provider["groq"].model == "llama-3.1-8b-instant"


def test_a_provider_of_ones_own_needs_its_base_url(monkeypatch: pytest.MonkeyPatch) -> None:
    own = {k.replace("GROQ", "MY_BOX"): v.replace("groq", "my_box") for k, v in GROQ.items()}
    set_all(monkeypatch, own)
    with pytest.raises(ConfigurationError, match="RAG_PROVIDER_MY_BOX_BASE_URL"):
        load_settings()
    monkeypatch.setenv("RAG_PROVIDER_MY_BOX_BASE_URL", "http://box:8000/v1")
    assert names(load_settings()) == ["my_box"]
