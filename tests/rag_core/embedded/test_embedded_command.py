"""`python -m rag_core embedded` runs the stack in the foreground, or times its starts."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from rag_core.__main__ import main
from rag_core.embedded import python_environment
from tests.rag_core.embedded.processes import eventually, running_below


async def test_it_prints_the_settings_to_use_and_stops_on_ctrl_c(home: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rag_core", "embedded", "--home", str(home)),
        stdout=PIPE,
        stderr=PIPE,
        env=python_environment(),
    )
    assert process.stdout is not None
    lines = [await asyncio.wait_for(process.stdout.readline(), 60) for _ in range(2)]
    assert lines[0].startswith(b"RAG_DATABASE_URL=postgresql://")
    assert lines[1].startswith(b"RAG_REDIS_URL=unix://")
    process.send_signal(signal.SIGINT)
    _, said = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    assert b"Traceback" not in said
    await eventually(lambda: not running_below(home))


async def test_it_times_starts_on_data_of_its_own_and_removes_them(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await asyncio.to_thread(main, ["embedded", "--home", str(home), "--time"]) == 0
    said = capsys.readouterr().out
    assert said.count("warm start") == 3
    assert said.startswith("cold start")
    assert not any(name.startswith("timing-") for name in os.listdir(home))


def test_a_home_that_cannot_be_made_is_a_message_and_an_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert main(["embedded", "--home", str(tmp_path / "file" / "home"), "--time"]) == 4
    assert "Set RAG_HOME to a folder" in capsys.readouterr().err
