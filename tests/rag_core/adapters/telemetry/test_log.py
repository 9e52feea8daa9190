"""Events become structured log lines, of the level asked for and up."""

from __future__ import annotations

import json

import pytest

from rag_core.adapters.telemetry import LogListener
from rag_core.correlation import REQUEST_ID
from rag_core.domain import Provenance, Usage
from rag_core.events import (
    Answered,
    AttackRefused,
    CacheLookedUp,
    LeakBlocked,
    SearchFellShort,
    StepFinished,
)


def test_a_blocked_leak_is_logged_as_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    LogListener()(LeakBlocked("huggingface", "llama"))
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["level"], line["model"]) == ("LeakBlocked", "warning", "llama")
    assert "timestamp" in line


def test_what_is_below_the_level_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    listener = LogListener("info")
    listener(StepFinished("embed", 3.5))
    assert capsys.readouterr().err == ""
    listener(AttackRefused("persona_jailbreak.dan"))
    listener(CacheLookedUp("answer", "unavailable"))
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["AttackRefused", "CacheLookedUp"]


def test_debug_writes_every_step(capsys: pytest.CaptureFixture[str]) -> None:
    LogListener("debug")(StepFinished("embed", 3.5))
    line = json.loads(capsys.readouterr().err)
    assert (line["step"], line["elapsed_ms"]) == ("embed", 3.5)


def test_an_answer_is_an_info_line_with_all_that_is_known_of_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    LogListener("info")(Answered(Provenance.FRESH, "scripted", "v1", Usage(3, 1), 0.5, 12.5))
    line = json.loads(capsys.readouterr().err)
    assert line.pop("timestamp")
    assert line == {
        "event": "Answered",
        "level": "info",
        "provenance": "FRESH",
        "generator": "scripted",
        "model": "v1",
        "usage": {"input_tokens": 3, "output_tokens": 1},
        "cost_usd": 0.5,
        "total_ms": 12.5,
        "flags": [],
        "variant": "stable",
    }


def test_a_line_names_the_request_that_it_belongs_to_and_none_outside_of_any(
    capsys: pytest.CaptureFixture[str],
) -> None:
    listener, token = LogListener("debug"), REQUEST_ID.set("abc")
    listener(StepFinished("embed", 3.5))
    REQUEST_ID.reset(token)
    listener(StepFinished("embed", 3.5))
    within, outside = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert within["request_id"] == "abc"
    assert "request_id" not in outside


def test_a_cache_level_is_not_taken_for_the_level_of_the_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    LogListener("debug")(CacheLookedUp("embedding", "miss"))
    line = json.loads(capsys.readouterr().err)
    assert (line["cache"], line["level"]) == ("embedding", "debug")


def test_a_search_that_fell_short_is_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    LogListener()(SearchFellShort(found=3, missed=2))
    line = json.loads(capsys.readouterr().err)
    assert (line["level"], line["found"], line["missed"]) == ("warning", 3, 2)
