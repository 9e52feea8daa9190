"""Which settings a canary may have, and how a mistake is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rag_core.errors import ConfigurationError
from rag_core.settings import Settings, load_settings
from rag_core.settings_canary import CANARY_SETTINGS, canary_of


def test_a_canary_differs_by_its_own_settings_and_in_nothing_else() -> None:
    settings = Settings(top_k=7, hf_token="hf_x", canary_settings={"top_k": 9}, canary_percent=5)
    canary = canary_of(settings, settings.canary_settings)
    assert canary.top_k == 9
    kept = set(Settings.model_fields) - {"top_k", "canary_settings"}
    assert {name for name in kept if getattr(canary, name) != getattr(settings, name)} == set()


def test_every_name_that_is_allowed_is_a_setting() -> None:
    assert set(Settings.model_fields) >= CANARY_SETTINGS


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"topk": 9}, "'topk' is not a setting. Did you mean top_k?"),
        ({"RAG_TOP_K": 9}, "Did you mean top_k?"),
        ({"database_url": "postgresql://x"}, "'database_url' is not a setting of the pipeline"),
        ({"embedder_model": "other"}, "not a setting of the pipeline alone"),
        ({"hf_token": "hf_secret"}, "not a setting of the pipeline alone"),
        ({"top_k": 0}, "top_k: Input should be greater than or equal to 1"),
        ({"top_k": "many"}, "top_k: Input should be a valid integer"),
        ({"answer_hard_ttl_s": 1}, "RAG_ANSWER_HARD_TTL_S must be at least"),
        ({"cache": "memory"}, "cache can only be off"),
        ({"providers": ["no name"]}, "no provider's name"),
    ],
)
def test_what_a_canary_cannot_have_is_said_in_one_line(
    changes: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        canary_of(Settings(), changes)
    assert str(caught.value).startswith("RAG_CANARY_SETTINGS: ")
    assert problem in str(caught.value)
    assert "hf_secret" not in str(caught.value)


def test_a_mistake_is_found_when_the_settings_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    env = tmp_path / "env"
    env.write_text('RAG_CANARY_PERCENT=5\nRAG_CANARY_SETTINGS={"top_k": 9}\n')
    assert load_settings(env).canary_settings == {"top_k": 9}
    env.write_text('RAG_CANARY_SETTINGS={"topk": 9}\n')
    with pytest.raises(ConfigurationError, match="Did you mean top_k"):
        load_settings(env)
    env.write_text("RAG_CANARY_SETTINGS=top_k\n")
    with pytest.raises(ConfigurationError, match=r"RAG_CANARY_SETTINGS: is not JSON"):
        load_settings(env)
