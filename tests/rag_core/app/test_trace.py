"""What people ask over HTTP, and what changes of their notes, can be taken down."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from evals.simulation.trace_file import read_trace
from rag_core.bootstrap import assemble
from rag_core.domain import Tokenizer, UserId
from tests.rag_core.app.served import open_served
from tests.rag_core.library import CountingEmbedder, note
from tests.rag_core.scene import QUESTION, settings_for

KEY = "a key of more than sixteen bytes"


async def test_a_recorded_trace_is_one_that_the_cache_study_reads(
    database_url: str, user: UserId, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    path = tmp_path / "trace.jsonl"
    settings = settings_for(database_url, trace_file=path, trace_key=KEY)
    async with assemble(settings, embedder=CountingEmbedder(), tokenizer=tokenizer) as application:
        await application.ingest.run(user, [note("grace"), note("storm")])
        await application.notes.delete(user, "storm")
        await application.notes.delete(user, "absent")
    async with open_served(settings, user, tokenizer) as served:
        for question in (QUESTION, QUESTION.upper(), "What calmed the storm?"):
            assert (await served.ask(question)).status_code == 200
            served.clock.advance(60)
        assert (await served.ask("")).status_code == 422
    traffic = read_trace(path)
    assert traffic.question.tolist() == [0, 0, 1]
    assert traffic.span_s == pytest.approx(120)
    assert (len(traffic.user_names), len(traffic.edit_time_s)) == (1, 3)
    text = written(path)
    assert user not in text
    assert "grace" not in text


def written(path: Path) -> str:
    return path.read_text()


async def test_of_a_follow_up_the_question_is_taken_down_that_it_became(
    database_url: str, user: UserId, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    path = tmp_path / "trace.jsonl"
    settings = settings_for(database_url, trace_file=path, trace_key=KEY)
    async with open_served(settings, user, tokenizer) as served:
        (await served.put(note("grace"))).raise_for_status()
        session = (await served.client.post("/sessions")).json()["id"]
        for question in (QUESTION, "And why?"):
            body = {"question": question, "session": session}
            (await served.client.post("/assistant/query", json=body)).raise_for_status()
        await served.ask(f"{QUESTION} And why?")
    assert read_trace(path).question.tolist() == [0, 1, 1]


async def test_without_the_setting_nothing_is_taken_down(
    database_url: str, user: UserId, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    async with open_served(settings_for(database_url), user, tokenizer) as served:
        await served.ask(QUESTION)
    assert os.listdir(tmp_path) == []
