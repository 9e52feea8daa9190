"""Secrets from files: read as if they stood in the variable, and every mistake named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rag_core.errors import ConfigurationError
from rag_core.settings import Settings, examine_settings, load_settings, secret

SECRETS = [
    name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)
]
Written = Callable[[str | bytes], str]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    def write(content: str | bytes) -> str:
        path = tmp_path / f"secret-{len(list(tmp_path.iterdir()))}"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return write


def test_a_secret_may_stand_in_a_file_with_or_without_a_line_end(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    for content in ("hush-hush", "hush-hush\n", "hush-hush\r\n"):
        monkeypatch.setenv("RAG_HF_TOKEN_FILE", written(content))
        assert secret(load_settings().hf_token) == "hush-hush"


def test_every_secret_may(
    written: Written, monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    assert len(SECRETS) > 6
    monkeypatch.setenv("RAG_JWT_AUDIENCE", "rag_core")
    for name in ("hf_token", "jwt_secret", "trace_key"):
        assert name in SECRETS
    for name in SECRETS:
        if name == "provider" or name.startswith("alert_smtp"):
            continue
        kind = "postgresql" if "database" in name else "redis" if "redis" in name else "http"
        value = f"{kind}://host:1" if name.endswith(("url", "endpoint")) else "hush" * 16
        with subtests.test(name=name), monkeypatch.context() as environment:
            environment.setenv(f"RAG_{name.upper()}_FILE", written(value))
            assert secret(getattr(load_settings(), name)) == value


def test_a_providers_key_may_and_its_model_may_not(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_PROVIDER_GROQ_KEY_FILE", written("hush-hush\n"))
    assert secret(load_settings().provider["groq"].key) == "hush-hush"
    monkeypatch.setenv("RAG_PROVIDER_GROQ_MODEL_FILE", written("llama"))
    with pytest.raises(ConfigurationError, match="RAG_PROVIDER_GROQ_MODEL_FILE: is not a setting"):
        load_settings()


def test_a_file_of_settings_may_name_one_and_the_environment_wins(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = Path(written(f"RAG_HF_TOKEN_FILE={written('from the file')}\n"))
    assert secret(load_settings(file).hf_token) == "from the file"
    monkeypatch.setenv("RAG_HF_TOKEN", "from the environment")
    assert secret(load_settings(file).hf_token) == "from the environment"


def test_what_is_no_secret_has_no_file(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_TOP_K_FILE", written("3"))
    with pytest.raises(ConfigurationError, match="RAG_TOP_K_FILE: is not a setting"):
        load_settings()


def test_the_file_of_the_trace_is_a_setting_of_its_own(
    tmp_path: Path, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_TRACE_FILE", str(tmp_path / "trace.jsonl"))
    monkeypatch.setenv("RAG_TRACE_KEY_FILE", written("sixteen bytes or more"))
    assert load_settings().trace_file == tmp_path / "trace.jsonl"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "holds nothing"),
        ("\n", "holds nothing"),
        ("x" * 70_000, "holds too much"),
        (b"\xff\xfe", "is not UTF-8 text"),
    ],
)
def test_a_file_that_holds_no_secret_is_named(
    written: Written, monkeypatch: pytest.MonkeyPatch, content: str | bytes, why: str
) -> None:
    monkeypatch.setenv("RAG_HF_TOKEN_FILE", written(content))
    with pytest.raises(ConfigurationError, match=f"RAG_HF_TOKEN_FILE names .*{why}") as raised:
        load_settings()
    assert raised.value.setting == "RAG_HF_TOKEN"


def test_all_that_is_wrong_with_files_is_found_with_all_else(
    tmp_path: Path, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_HF_TOKEN_FILE", str(tmp_path / "absent"))
    monkeypatch.setenv("RAG_REDIS_URL_FILE", str(tmp_path))
    monkeypatch.setenv("RAG_PROVIDER_GROQ_KEY_FILE", str(tmp_path / "absent"))
    monkeypatch.setenv("RAG_JWT_SECRET", "x" * 32)
    monkeypatch.setenv("RAG_JWT_SECRET_FILE", written("y" * 32))
    monkeypatch.setenv("RAG_TOP_K", "many")
    settings, problems = examine_settings()
    assert {problem.setting for problem in problems} >= {
        *("RAG_HF_TOKEN", "RAG_REDIS_URL", "RAG_PROVIDER_GROQ_KEY", "RAG_JWT_SECRET", "RAG_TOP_K"),
    }
    assert "given twice" in " ".join(problem.problem for problem in problems)
    assert (settings.hf_token, settings.redis_url, settings.jwt_secret) == (None, None, None)


def test_what_stands_in_the_file_is_never_shown(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_DATABASE_URL_FILE", written("postgresql://rag:hush@hush@host/rag"))
    with pytest.raises(ConfigurationError, match="RAG_DATABASE_URL") as raised:
        load_settings()
    assert "hush" not in f"{raised.value} {raised.value!r}"
    monkeypatch.setenv("RAG_DATABASE_URL_FILE", written("postgresql://rag:hush@host/rag"))
    assert "hush" not in f"{load_settings()!r}"
