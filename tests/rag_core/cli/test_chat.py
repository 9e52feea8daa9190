"""`chat` and `search`: talking with notes in a terminal, and seeing what is found."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal

import pytest

from rag_core.cli.chat import Talk
from rag_core.domain import Tokenizer, UserId
from tests.rag_core.cli.commands import Run
from tests.rag_core.held_generator import HeldGenerator
from tests.rag_core.library import note
from tests.rag_core.scene import QUESTION, open_scene, settings_for


def test_a_chat_answers_what_is_piped_to_it_each_after_what_was_asked_before(
    run: Run, stored: UserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [QUESTION, QUESTION, "And why?", "", "/sources", "/stats", "/nonsense", "/new"]
    lines += ["And why?", "/sources", "/quit", "never asked"]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines)))
    ran = run("chat", "--user", stored)
    assert ran.exit_code == 0
    before, _, after = ran.out.partition("begun anew")
    assert before.count("FRESH by extractive") == 2
    assert before.count("CACHED by extractive") == 1
    assert f"(understood as: {QUESTION} And why?)" in before
    assert "[1] On grace (grace)\n    Paul calls grace a gift" in before
    assert "CACHED: 1 of 3; saved $0.000000" in before
    assert "/nonsense is no command\n/sources" in before
    assert "understood as" not in after, "nothing was asked before"
    assert "no answer with sources yet" not in before
    assert "never asked" not in ran.out
    assert "--session" not in ran.out, "without Redis nothing is kept"


def test_a_chat_ends_with_its_input_and_goes_on_after_a_mistake(
    run: Run, stored: UserId, other_user: UserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{'x' * 9_000}\n{QUESTION}"))
    ran = run("chat", "--user", stored)
    assert ran.exit_code == 0
    assert "error: question: 9,000 characters are more than the 8,000 allowed" in ran.out
    assert "FRESH" in ran.out
    refused = run("chat", "--user", stored, "--session", "A" * 22)
    assert (refused.exit_code, refused.out) == (2, "")
    assert "no notes are stored" in run("chat", "--user", other_user).err


async def test_ctrl_c_stops_an_answer_and_not_the_chat(
    database_url: str, user: UserId, tokenizer: Tokenizer, capsys: pytest.CaptureFixture[str]
) -> None:
    held = HeldGenerator()
    settings = settings_for(database_url)
    async with open_scene(settings, user, tokenizer, generator=held) as scene:
        await scene.store(note("grace"))
        talk = Talk(scene.application, user)
        await talk.begin()
        with talk.interruptible():
            saying = asyncio.create_task(talk.said(QUESTION))
            await held.asked()
            os.kill(os.getpid(), signal.SIGINT)
            await saying
            assert "(stopped)" in capsys.readouterr().out
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(0.05)
            assert "/quit leaves" in capsys.readouterr().out
            await talk.said("/stats")
    assert "answers: 0 (none)" in capsys.readouterr().out


def test_search_shows_the_hits_with_their_scores_and_the_line(
    run: Run, stored: UserId, other_user: UserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_MIN_SCORE", "0.3")
    ran = run("search", "Paul on grace", "--user", stored)
    assert ran.exit_code == 0
    first, second = ran.out.splitlines()[1:3]
    assert first.split()[1:4] == ["[1]", "On", "grace:"]
    assert second.split()[1:3] == ["left", "storm:"]
    assert float(first.split()[0]) > 0.3 > float(second.split()[0])
    assert "RAG_MIN_SCORE=0.3: a hit below it is left" in ran.out
    hits = json.loads(run("search", "Paul on grace", "--user", stored, "--json").out)
    assert [(each["note_id"], each["taken"]) for each in hits] == [("grace", 1), ("storm", None)]
    assert "no notes are stored" in run("search", "grace", "--user", other_user).err
