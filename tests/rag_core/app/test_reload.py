"""SIGHUP: the canary is read again, and nothing else."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from rag_core.domain import Tokenizer, UserId
from rag_core.events import Answered
from rag_core.settings import Settings, load_settings
from tests.rag_core.app.served import Served, open_served
from tests.rag_core.embedded.processes import eventually
from tests.rag_core.scene import QUESTION, settings_for

ON = 'RAG_CANARY_PERCENT=100\nRAG_CANARY_SETTINGS={"top_k": 9}\n'
OFF = 'RAG_CANARY_PERCENT=0\nRAG_CANARY_SETTINGS={"top_k": 9}\n'


class EnvFile:
    """The file that the settings are read from."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def says(self, text: str) -> None:
        self._path.write_text(text)

    def read(self) -> Settings:
        return load_settings(self._path)


@pytest.fixture
def env(tmp_path: Path) -> EnvFile:
    return EnvFile(tmp_path / "env")


async def variant(served: Served) -> str:
    assert (await served.ask(QUESTION)).status_code == 200
    return str(served.told(Answered)[-1].variant)


def said(caplog: pytest.LogCaptureFixture, words: str) -> Callable[[], bool]:
    return lambda: words in caplog.text


async def test_a_canary_is_begun_and_rolled_back_by_one_setting(
    database_url: str,
    user: UserId,
    tokenizer: Tokenizer,
    env: EnvFile,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    env.says(ON)
    settings = settings_for(database_url)
    async with open_served(settings, user, tokenizer, read=env.read) as served:
        assert await variant(served) == "canary", "the file's canary, from the start"
        for text, words, expected in (
            (OFF, "no canary", "stable"),
            ('RAG_CANARY_SETTINGS={"topk": 1}\n', "Did you mean top_k?", "stable"),
            (
                "RAG_CANARY_PERCENT=lots\n",
                "as it is: RAG_CANARY_PERCENT",
                "stable",
            ),
            (f"{ON}RAG_TOP_K=3\nRAG_PORT=1\n", "restart to have what else changed", "canary"),
        ):
            caplog.clear()
            env.says(text)
            os.kill(os.getpid(), signal.SIGHUP)
            await eventually(said(caplog, words))
            assert await variant(served) == expected, text
    assert "RAG_PORT, RAG_TOP_K" in caplog.text


async def test_without_a_file_sighup_is_left_as_it_was(
    database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    before = signal.getsignal(signal.SIGHUP)
    async with open_served(settings_for(database_url), user, tokenizer):
        assert signal.getsignal(signal.SIGHUP) is before
