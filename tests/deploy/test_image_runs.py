"""What `make image-here` made of the Dockerfile's steps: it serves, as the image would."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import httpx
import pytest

from rag_core.embedded import StackUrls
from tests.deploy.served import ROOT, free_port, serving
from tests.deploy.test_dockerfile import STAGES, image

ROOTFS = ROOT / "build" / "image" / "app"
PYTHON = ROOTFS / "opt/rag/bin/python"

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(), reason="NOT RUN: there is no build/image/app. Run: make image-here"
)


def settings(stack: StackUrls, database_url: str) -> dict[str, str]:
    """The image's own variables, and what an operator adds."""
    told: dict[str, str] = {}
    for stage in ("runtime", "app"):
        for each in STAGES[stage].instructions:
            told |= each.variables if each.word == "ENV" else {}
    own = {name: image.placed(v, ROOTFS) for name, v in told.items() if name != "PATH"}
    return own | {
        "RAG_HOST": "127.0.0.1",
        "RAG_DATABASE_URL": database_url,
        "RAG_REDIS_URL": stack.redis_url,
        "PYTHONPATH": "",
    }


async def run(variables: dict[str, str], *arguments: str | Path) -> str:
    """What a program of the image prints."""
    done = await asyncio.to_thread(
        subprocess.run, [PYTHON, *arguments], env=variables, cwd="/", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


async def test_it_serves_a_note_that_it_was_given_and_says_that_it_is_healthy(
    stack: StackUrls, own_database: str
) -> None:
    variables = settings(stack, own_database)
    key = (await run(variables, "-m", "rag_core", "keys", "add", "--user", "ruth")).strip()
    async with serving(variables, [PYTHON]) as url:
        headers = {"Authorization": f"Bearer {key}"}
        note = {"title": "On grace", "body": "Paul calls grace a gift. Nobody can buy it."}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as client:
            (await client.put("/notes/a", json=note)).raise_for_status()
            asked = {"question": "What does Paul call grace?"}
            answer = (await client.post("/assistant/query", json=asked)).json()
        port = {"RAG_PORT": url.rpartition(":")[2]}
        await run(variables | port, "-S", ROOTFS / "opt/healthy.py")
    assert answer["citations"][0]["note_id"] == "a"
    assert "gift" in answer["text"]


async def test_it_is_not_healthy_where_nobody_serves(stack: StackUrls, own_database: str) -> None:
    variables = settings(stack, own_database) | {"RAG_PORT": str(free_port())}
    with pytest.raises(AssertionError, match="no answer"):
        await run(variables, "-S", ROOTFS / "opt/healthy.py")


IMPORTED = """
import asyncio, os, sys
import rag_core.__main__
from rag_core.app import create_app
from rag_core.settings import load_settings

async def once(app):
    async with app.router.lifespan_context(app):
        pass

asyncio.run(once(create_app(load_settings())))
cached = {n: getattr(m, "__cached__", None) for n, m in sys.modules.items()}
print([n for n, c in cached.items() if c and sys.prefix in c and not os.path.exists(c)])
"""


async def test_whatever_serving_imports_has_its_bytecode(
    stack: StackUrls, own_database: str
) -> None:
    """The file system of a container is read-only: what has none is compiled at each start."""
    assert (await run(settings(stack, own_database), "-c", IMPORTED)).strip() == "[]"
