"""The judge that the environment names, or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.measures.judge_settings import open_judge
from rag_core.domain import Prices
from rag_core.errors import ConfigurationError, InvalidInput

URL, MODEL = "RAG_JUDGE_BASE_URL", "RAG_JUDGE_MODEL"


async def test_without_a_server_nothing_is_judged(tmp_path: Path) -> None:
    async with open_judge(tmp_path, max_usd=1) as judge:
        assert judge is None


async def test_server_and_model_make_a_judge_with_a_cap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URL, "http://127.0.0.1:9/v1")
    monkeypatch.setenv(MODEL, "small")
    monkeypatch.setenv("RAG_JUDGE_PRICE_INPUT_USD", "0.001")
    monkeypatch.setenv("RAG_PRICE_OUTPUT_USD", "7")
    monkeypatch.setenv("RAG_JUDGE_REPEATS", "3")
    async with open_judge(tmp_path, max_usd=0.5) as judge:
        assert judge is not None
        assert judge.model == "small"
        assert judge.budget.max_usd == 0.5
        assert judge.budget.prices == Prices(0.001, Prices().output_usd)
        assert judge.repeats == 3


@pytest.mark.parametrize(("given", "missing"), [(URL, MODEL), (MODEL, URL)])
async def test_half_a_judge_is_refused_and_the_other_half_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, missing: str
) -> None:
    monkeypatch.setenv(given, "http://127.0.0.1:9/v1")
    with pytest.raises(ConfigurationError, match=missing):
        async with open_judge(tmp_path, max_usd=1):
            pass


async def test_a_wrong_price_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_JUDGE_PRICE_OUTPUT_USD", "cheap")
    with pytest.raises(ConfigurationError, match="RAG_JUDGE_PRICE_OUTPUT_USD"):
        async with open_judge(tmp_path, max_usd=1):
            pass


async def test_a_negative_cap_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URL, "http://127.0.0.1:9/v1")
    monkeypatch.setenv(MODEL, "small")
    with pytest.raises(InvalidInput, match="--max-usd"):
        async with open_judge(tmp_path, max_usd=-1):
            pass
