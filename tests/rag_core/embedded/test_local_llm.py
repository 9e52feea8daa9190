"""A real, small language model answers over HTTP while its context is open, and no longer."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import urllib.request
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from rag_core.embedded import embedded_stack, local_llm, python_environment
from rag_core.errors import EmbeddedServerError
from tests.rag_core.embedded.processes import eventually


def complete(base_url: str) -> dict[str, object]:
    body = {
        "messages": [{"role": "user", "content": "Say hello."}],
        "max_tokens": 4,
        "temperature": 0,
    }
    request = urllib.request.Request(
        f"{base_url}/chat/completions",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        reply: dict[str, object] = json.load(response)
    return reply


def refuses(base_url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{base_url}/models", timeout=5):
            return False
    except OSError:  # refused, or cut while it ends
        return True


async def test_it_completes_a_chat_and_is_gone_afterwards() -> None:
    async with local_llm() as base_url:
        reply = await asyncio.to_thread(complete, base_url)
        assert reply["usage"]["completion_tokens"] == 4  # type: ignore[index]
    assert refuses(base_url)


async def test_the_stack_serves_it_when_asked(home: Path) -> None:
    async with embedded_stack(home, postgres=False, valkey=False, llm=True) as urls:
        assert urls.llm_url is not None
        assert not await asyncio.to_thread(refuses, urls.llm_url)
    assert refuses(urls.llm_url)


async def test_it_ends_when_its_user_is_killed() -> None:
    script = """
import asyncio
from rag_core.embedded import local_llm
async def main():
    async with local_llm() as base_url:
        print(base_url, flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""
    environment = python_environment()
    user = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=PIPE, env=environment
    )
    assert user.stdout is not None
    base_url = (await asyncio.wait_for(user.stdout.readline(), 60)).decode().strip()
    assert not await asyncio.to_thread(refuses, base_url)
    user.send_signal(signal.SIGKILL)
    await user.wait()
    await eventually(lambda: refuses(base_url))


async def test_weights_that_are_none_are_refused_with_what_the_runtime_said(tmp_path: Path) -> None:
    weights = tmp_path / "not.gguf"
    weights.write_text("no weights")
    with pytest.raises(EmbeddedServerError, match="did not start"):
        async with local_llm(weights):
            pass
