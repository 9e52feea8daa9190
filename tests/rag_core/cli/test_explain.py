"""`ask` says what was near where nothing was found, and with --explain what decided."""

from __future__ import annotations

import pytest

from rag_core.domain import UserId
from tests.rag_core.cli.commands import Run

QUESTION = "What does Paul call grace?"


def test_what_was_taken_and_left_is_shown_with_the_setting_between_and_the_prompt(
    run: Run, stored: UserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_MIN_SCORE", "0.4")
    said = run("ask", QUESTION, "--user", stored, "--explain").out
    lines = said[said.index("found, best first:") :].splitlines()
    first, second = (line.split() for line in lines[1:3])
    assert float(first[0]) >= 0.4 > float(second[0])
    assert (first[1], second[1]) == ("[1]", "left")
    assert "On grace: Paul calls grace a gift" in lines[1]
    assert lines[2].endswith("storm: Jesus slept in the boat during the storm.")
    assert "RAG_MIN_SCORE=0.4: a hit below it is left" in said
    assert "RAG_CONTEXT_TOKENS=1200: " in said
    assert "\nsystem:\n" in said
    assert f"Question: {QUESTION}" in said or QUESTION in said.rpartition("user:")[2]


def test_where_words_are_searched_the_one_decision_is_shown_with_its_reasons(
    run: Run, stored: UserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_SEARCH_MODE", "hybrid")
    monkeypatch.setenv("RAG_MIN_ANSWERABILITY", "1.0")
    said = run("ask", QUESTION, "--user", stored, "--explain").out
    assert "RAG_MIN_ANSWERABILITY=1: declined at 0." in said
    assert "names absent)" in said
    assert said.endswith("no prompt: nothing is asked of a generator\n")


def test_where_nothing_is_found_the_nearest_note_is_named(
    run: Run, stored: UserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_MIN_SCORE", "0.99")
    said = run("ask", QUESTION, "--user", stored).out.splitlines()[-1]
    assert said.startswith("nearest: 'On grace' (cosine 0.")
    ran = run("ask", QUESTION, "--user", stored, "--json", "--explain")
    assert ran.exit_code == 2
    assert ran.err == "error: --explain: is for reading, --json for programs. Choose one\n"
