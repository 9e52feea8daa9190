"""Classes of questions by settings: what is set, what is shown, and what is therefore used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rag_core.adapters.generators import ScriptedGenerator
from rag_core.bootstrap import Writers, class_routers, classes_in_use, provider_guard
from rag_core.class_evidence import read_class_evidence
from rag_core.cli.doctor import examine
from rag_core.clock import ManualClock
from rag_core.domain import ClassBudgets, QuestionClass
from rag_core.errors import ConfigurationError
from rag_core.events import ignore
from rag_core.providers import Provider, Router
from rag_core.settings import Settings, load_settings

USUAL = {"context_tokens": 1200, "output_tokens": 400, "providers": ["extractive"]}


def evidence(tmp_path: Path, kind: str = "list", **budgets: Any) -> Path:
    """A file that says that `budgets` of a class were shown to lose next to nothing."""
    row = {"class": kind, "budgets": budgets, "instead_of": USUAL, "n": 80}
    file = tmp_path / "evidence.json"
    file.write_text(json.dumps({"shown": [row]}))
    return file


def test_without_any_setting_no_class_is_used() -> None:
    assert classes_in_use(Settings()) == {}


def test_a_class_with_evidence_is_used(tmp_path: Path) -> None:
    file = evidence(tmp_path, context_tokens=600)
    settings = Settings(class_list_context_tokens=600, class_evidence=file)
    assert classes_in_use(settings) == {QuestionClass.LIST: ClassBudgets(context_tokens=600)}


@pytest.mark.parametrize(
    "other",
    [
        {"class_list_context_tokens": 500},
        {"class_summary_context_tokens": 600},
        {"class_list_context_tokens": 600, "class_list_output_tokens": 100},
        {"class_list_context_tokens": 600, "context_tokens": 900},
        {"class_list_context_tokens": 600, "hf_token": "hf_x"},
    ],
    ids=["other tokens", "other class", "fewer of the answer", "beside others", "other writers"],
)
def test_a_class_that_nothing_shows_to_be_as_good_is_not_used_and_the_log_says_so(
    tmp_path: Path, other: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(class_evidence=evidence(tmp_path, context_tokens=600), **other)
    assert classes_in_use(settings) == {}
    assert "is not used: nothing shows what it costs" in caplog.text


def test_the_package_has_evidence_that_can_be_read() -> None:
    assert isinstance(read_class_evidence(), tuple)


@pytest.mark.parametrize("text", ["", "[]", '{"shown": [{"class": "poem"}]}', '{"shown": [1]}'])
def test_a_file_that_is_no_evidence_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "mine.json"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=r"RAG_CLASS_EVIDENCE: .*mine\.json"):
        read_class_evidence(file)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_class_evidence(tmp_path / "none.json")


def test_providers_of_a_class_are_some_of_everybodys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_CLASS_CHIT_CHAT_PROVIDERS", "huggingface, local")
    with pytest.raises(ConfigurationError, match="RAG_CLASS_CHIT_CHAT_PROVIDERS: names local"):
        load_settings()
    monkeypatch.setenv("RAG_CLASS_CHIT_CHAT_PROVIDERS", "huggingface")
    assert load_settings().class_chit_chat_providers == ("huggingface",)


def test_a_class_is_written_for_by_its_own_providers_in_its_own_order() -> None:
    clock = ManualClock()
    shared: dict[str, Any] = {"timeout_s": 1.0, "clock": clock, "listener": ignore, "redis": None}
    dear, cheap = (
        Provider(ScriptedGenerator([], name=name), provider_guard(name, Settings(), **shared))
        for name in ("dear", "cheap")
    )
    writers = Writers(Router([dear, cheap], clock=clock), None, (dear, cheap))
    wanted = {QuestionClass.CHIT_CHAT: ClassBudgets(providers=("cheap", "dear"))}
    (router,) = class_routers(wanted, writers).values()
    assert router.identity[::2] == ("cheap", "dear")
    assert writers.router.identity[::2] == ("dear", "cheap")
    nobody = {QuestionClass.CHIT_CHAT: ClassBudgets(providers=("away",))}
    with pytest.raises(ConfigurationError, match="none of them is configured"):
        class_routers(nobody, writers)


async def test_the_doctor_says_which_classes_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_CLASS_LIST_CONTEXT_TOKENS", "600")
    (unproven,) = [each for each in await examine() if each.part == "classes"]
    assert unproven.level == "warn"
    assert "list: not used" in unproven.text
    monkeypatch.setenv("RAG_CLASS_EVIDENCE", str(evidence(tmp_path, context_tokens=600)))
    (proven,) = [each for each in await examine() if each.part == "classes"]
    assert (proven.level, proven.text) == ("ok", "list: its budgets are used")
