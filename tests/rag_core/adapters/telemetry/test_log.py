"""Events become structured log lines, of the level asked for and up."""

from __future__ import annotations

import json

import pytest

from rag_core.adapters.telemetry.log import LogListener
from rag_core.events import AttackRefused, CacheLooked, LeakBlocked, StepFinished


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
    listener(CacheLooked("answer", "unavailable"))
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["AttackRefused", "CacheLooked"]


def test_debug_writes_every_step(capsys: pytest.CaptureFixture[str]) -> None:
    LogListener("debug")(StepFinished("embed", 3.5))
    line = json.loads(capsys.readouterr().err)
    assert (line["step"], line["elapsed_ms"]) == ("embed", 3.5)
