"""Settings: one default each, and every mistake named by its variable."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from rag_core.errors import ConfigurationError
from rag_core.settings import Settings, examine_settings, load_settings

ROOT = Path(__file__).resolve().parents[2]
TEXTS = (
    "home",
    "embedder_model",
    "tokenizer",
    "hf_model",
    "host",
    "jwt_issuer",
    "jwt_audience",
    "prompt_file",
    "class_evidence",
)
NOT_TEXT = [
    name
    for name, field in Settings.model_fields.items()
    if name not in TEXTS and "SecretStr" not in str(field.annotation)
]


def test_defaults_are_those_of_the_design() -> None:
    settings = load_settings()
    assert (settings.question_tokens, settings.context_tokens, settings.output_tokens) == (
        *(150, 1_200),
        400,
    )
    assert (settings.answer_soft_ttl_s, settings.answer_hard_ttl_s) == (86_400, 604_800)
    assert (settings.embedding_ttl_s, settings.context_ttl_s) == (604_800, 3_600)
    assert settings.context_cache_bytes == 8_000_000
    assert settings.top_k == 5
    assert (settings.price_input_usd, settings.price_output_usd) == (0.0000002, 0.0000006)
    assert settings.database_url is None


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "some.env"
    file.write_text("# a comment\nRAG_TOP_K=7\nRAG_EF_SEARCH=77\n")
    monkeypatch.setenv("RAG_TOP_K", "9")
    settings = load_settings(file)
    assert (settings.top_k, settings.ef_search, settings.output_tokens) == (9, 77, 400)


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_DATABASE_URL", "")
    monkeypatch.setenv("RAG_TOP_K", "")
    assert load_settings() == Settings()


def test_empty_limits_are_none_wherever_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a gateway that counts, the app does not: that has to be said somehow."""
    file = tmp_path / "some.env"
    file.write_text("RAG_RATE_LIMITS=\nRAG_TOP_K=\nRAG_PORT=\n")
    monkeypatch.setenv("RAG_RATE_LIMITS_ALL", "")
    settings = load_settings(file)
    assert (settings.rate_limits, settings.rate_limits_all) == ((), ())
    assert (settings.top_k, settings.port) == (Settings().top_k, Settings().port)
    monkeypatch.setenv("RAG_RATE_LIMITS", "5/minute")
    assert load_settings(file).rate_limits == ("5/minute",)


def test_an_empty_variable_leaves_what_the_file_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "some.env"
    file.write_text("RAG_TOP_K=7\nRAG_PROVIDER_GROQ_MODEL=some\n")
    monkeypatch.setenv("RAG_TOP_K", "")
    monkeypatch.setenv("RAG_PROVIDER_GROQ_MODEL", "")
    settings = load_settings(file)
    assert settings.top_k == 7
    assert settings.provider["groq"].model == "some"


def test_nonsense_in_any_variable_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    for name in NOT_TEXT:
        variable = f"RAG_{name.upper()}"
        with subtests.test(variable=variable), monkeypatch.context() as environment:
            environment.setenv(variable, "no such value")
            with pytest.raises(ConfigurationError) as raised:
                load_settings()
            assert raised.value.setting == variable
            assert raised.value.exit_code == 3


def test_a_value_out_of_bounds_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    for variable, value in [
        ("RAG_TOP_K", "0"),
        ("RAG_EF_SEARCH", "1001"),
        ("RAG_MIN_SCORE", "1.5"),
        ("RAG_QUESTION_TOKENS", "-1"),
        ("RAG_CHUNK_TOKENS", "1000"),
        ("RAG_DATABASE_TIMEOUT_S", "0"),
        ("RAG_PRICE_INPUT_USD", "-0.1"),
        ("RAG_ANSWER_SOFT_TTL_S", "-5"),
        ("RAG_SEARCH_METHOD", "ivfflat"),
        ("RAG_JWT_SECRET", "x" * 31),
        ("RAG_TRACE_KEY", "x" * 15),
        ("RAG_TRACE_FILE", "trace.csv"),
    ]:
        with subtests.test(variable=variable), monkeypatch.context() as environment:
            environment.setenv(variable, value)
            with pytest.raises(ConfigurationError, match=variable):
                load_settings()


def test_settings_that_contradict_each_other_are_both_named(
    monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    for variables, message in [
        (
            {"RAG_ANSWER_SOFT_TTL_S": "60", "RAG_ANSWER_HARD_TTL_S": "59"},
            "RAG_ANSWER_HARD_TTL_S must be at least RAG_ANSWER_SOFT_TTL_S",
        ),
        (
            {"RAG_CHUNK_TOKENS": "40", "RAG_CHUNK_OVERLAP_TOKENS": "40"},
            "RAG_CHUNK_OVERLAP_TOKENS must be below RAG_CHUNK_TOKENS",
        ),
        (
            {"RAG_BUDGET_ALL_USD": "1", "RAG_BUDGET_ALLOWANCE_USD": "0.2"},
            "RAG_BUDGET_ALLOWANCE_USD times RAG_BUDGET_PROCESSES must be at most",
        ),
        (
            {"RAG_JWT_SECRET": "x" * 32},
            "RAG_JWT_AUDIENCE must be set where tokens are taken",
        ),
        ({"RAG_TRACE_FILE": "trace.jsonl"}, "RAG_TRACE_FILE needs RAG_TRACE_KEY"),
    ]:
        with subtests.test(variables=variables), monkeypatch.context() as environment:
            for name, value in variables.items():
                environment.setenv(name, value)
            with pytest.raises(ConfigurationError, match=message):
                load_settings()


def test_a_mistyped_variable_is_an_error_with_the_one_that_was_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "some.env"
    file.write_text("RAG_EF_SERCH=50\n")
    with pytest.raises(ConfigurationError, match=r"RAG_EF_SERCH.*Did you mean RAG_EF_SEARCH\?"):
        load_settings(file)
    monkeypatch.setenv("RAG_TOPK", "3")
    with pytest.raises(ConfigurationError, match=r"RAG_TOPK.*Did you mean RAG_TOP_K\?"):
        load_settings()


def test_an_unknown_variable_like_no_other_shows_all_that_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RAG_ZZZZZZ", "1")
    with pytest.raises(ConfigurationError, match=r"RAG_ZZZZZZ.*RAG_HOME.*RAG_LOG_LEVEL"):
        load_settings()


def test_variables_of_the_tests_and_of_the_judge_are_not_rag_cores_business(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RAG_JUDGE_MODEL", "some-judge")
    monkeypatch.setenv("RAG_TEST_ANYTHING", "1")
    monkeypatch.setenv("RAGTIME", "1")
    assert load_settings() == Settings()


def test_secrets_are_masked_wherever_settings_are_shown() -> None:
    settings = Settings(
        database_url="postgresql://rag:hush-hush@host/rag",
        redis_url="redis://:hush-hush@host",
        hf_token="hush-hush",
        hf_base_url="https://me:hush-hush@host/v1?key=hush-hush",
    )
    dumps = (settings.model_dump_json(), settings.model_dump(mode="json"), settings.model_dump())
    for shown in (repr(settings), str(settings), *map(str, dumps)):
        assert "hush" not in shown
    assert settings.hf_token
    assert settings.hf_token.get_secret_value() == "hush-hush"


def test_a_url_that_cannot_be_read_is_refused_without_being_quoted(
    monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    for name in ["database_url", "redis_url", "hf_base_url"]:
        with subtests.test(name=name), monkeypatch.context() as environment:
            url = "postgresql://rag:hush@hush@host/rag"
            with pytest.raises(ValueError, match=name) as raised:
                Settings(**{name: url})  # type: ignore[arg-type] # as from the environment
            assert "hush" not in f"{raised.value} {raised.value!r}"
            environment.setenv(f"RAG_{name.upper()}", url)
            with pytest.raises(ConfigurationError, match=f"RAG_{name.upper()}") as refused:
                load_settings()
            assert "hush" not in str(refused.value)


def test_all_that_is_wrong_is_found_at_once_and_the_rest_stays_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "some.env"
    file.write_text("RAG_EF_SERCH=50\nRAG_OUTPUT_TOKENS=300\nRAG_ANSWER_HARD_TTL_S=1\n")
    monkeypatch.setenv("RAG_TOPK", "3")
    monkeypatch.setenv("RAG_TOP_K", "many")
    monkeypatch.setenv("RAG_DATABASE_URL", "nonsense")
    settings, problems = examine_settings(file)
    assert [problem.setting for problem in problems] == [
        *("RAG_TOPK", "RAG_TOP_K", "RAG_DATABASE_URL", "RAG_EF_SERCH", "settings"),
    ]
    assert (settings.top_k, settings.output_tokens, settings.database_url) == (5, 300, None)
    assert settings.answer_hard_ttl_s > settings.answer_soft_ttl_s


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().top_k = 3  # type: ignore[misc] # that it is refused is the point


def test_a_file_that_is_not_there_or_not_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no file '.*absent\.env'"):
        load_settings(tmp_path / "absent.env")
    binary = tmp_path / "binary.env"
    binary.write_bytes(b"RAG_HOME=\xff\xfe\n")
    with pytest.raises(ConfigurationError, match=r"binary\.env' is not UTF-8 text"):
        load_settings(binary)


def test_the_files_for_development_and_production_show_both_worlds() -> None:
    development = load_settings(ROOT / ".env.development")
    production = load_settings(ROOT / ".env.production")
    assert development.answer_soft_ttl_s < production.answer_soft_ttl_s == 86_400
    assert development.context_ttl_s < production.context_ttl_s
    assert (development.cache, production.cache) == ("memory", "redis")
    assert development.database_url is None
    assert production.database_url
    assert production.redis_url


def test_no_secret_stands_in_a_committed_file() -> None:
    for file in [".env.development", ".env.production"]:
        settings = load_settings(ROOT / file)
        assert settings.hf_token is None
        for url in (settings.database_url, settings.redis_url):
            if url:
                credentials = url.get_secret_value().partition("://")[2].rpartition("@")[0]
                assert ":" not in credentials, "a password"


def test_choices_are_spelled_out_in_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_GENERATOR", "magic")
    with pytest.raises(ConfigurationError) as raised:
        load_settings()
    for choice in get_args(Settings.model_fields["generator"].annotation):
        assert choice in str(raised.value)


def test_no_limits_are_what_an_empty_list_says_and_any_other_empty_variable_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a gateway that limits; a container's `RAG_TOP_K=${RAG_TOP_K}` sets nothing."""
    file = tmp_path / "env"
    file.write_text("RAG_RATE_LIMITS=\nRAG_RATE_LIMITS_ALL=\nRAG_TOP_K=\n")
    from_file = load_settings(file)
    assert (from_file.rate_limits, from_file.rate_limits_all, from_file.top_k) == ((), (), 5)
    for name in ("RAG_RATE_LIMITS", "RAG_REDIS_URL"):
        monkeypatch.setenv(name, "")
    assert (load_settings().rate_limits, load_settings().redis_url) == ((), None)
    assert load_settings().rate_limits_all == ("1000/hour",)
