"""docs/api.md, run from top to bottom against `python -m rag_core serve`."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from pathlib import Path

import pytest

from rag_core.app.problem import HTTP_KINDS, KINDS
from rag_core.embedded import StackUrls
from tests.deploy.served import ROOT, serving

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(sh|json|text)\n(.*?)```", PAGE, re.DOTALL)
STEPS = [text for language, text in BLOCKS if language == "sh"]


def shown_after(step: int) -> tuple[str, str] | None:
    """The language and the text of what the page shows of a step's output."""
    place = [i for i, (language, _) in enumerate(BLOCKS) if language == "sh"][step]
    following = BLOCKS[place + 1] if place + 1 < len(BLOCKS) else ("sh", "")
    return None if following[0] == "sh" else following


def assert_like(real: object, shown: object, where: str = "") -> None:
    """What the page shows is there: every name, and every value that it writes out."""
    if isinstance(shown, dict):
        assert isinstance(real, dict)
        assert shown.keys() <= real.keys(), where
        for name, value in shown.items():
            assert_like(real[name], value, f"{where}.{name}")
    elif isinstance(shown, list):
        assert isinstance(real, list)
        for each in shown:
            assert_like(real[0], each, f"{where}[0]")
    elif shown != "…":
        assert real == shown, where


def events(text: str) -> list[tuple[str, object]]:
    """Names and data of server-sent events."""
    found = re.findall(r"^event: (\w+)\ndata: (.*)$", text, re.MULTILINE)
    return [(name, json.loads(data)) for name, data in found]


async def run(url: str, folder: Path, variables: dict[str, str]) -> list[str]:
    """Every step in one shell, and what each of them printed."""
    script = "\n".join(f"{{\n{step}\n}} > {i}.out" for i, step in enumerate(STEPS))
    tools = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    process = await asyncio.create_subprocess_exec(
        *("bash", "-euo", "pipefail", "-c", script),
        cwd=folder, env=os.environ | variables | {"URL": url, "PATH": tools},
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, said = await process.communicate()
    printed = [path.read_text() if path.exists() else "" for path in
               (folder / f"{i}.out" for i in range(len(STEPS)))]  # fmt: skip
    assert process.returncode == 0, f"{said.decode()}\n{printed}"
    return printed


async def test_the_guide_works_from_top_to_bottom(
    stack: StackUrls, own_database: str, exported_model: Path, tmp_path: Path
) -> None:
    variables = {
        "RAG_DATABASE_URL": own_database,
        "RAG_REDIS_URL": stack.redis_url,
        "RAG_EMBEDDER_MODEL": str(exported_model),
        "PYTHONPATH": str(ROOT),
    }
    async with serving(variables) as url:
        printed = await run(url, tmp_path, variables)
    for step, output in enumerate(printed):
        language, shown = shown_after(step) or ("", "")
        if language == "json":
            assert_like(json.loads(output), json.loads(shown))
        elif language == "text":
            told, expected = events(output), events(shown)
            assert [name for name, _ in expected] == sorted({n for n, _ in told}, reverse=True)
            assert_like(told[-1][1], expected[-1][1])


def test_a_page_that_shows_what_does_not_come_is_found_out() -> None:
    with pytest.raises(AssertionError):
        assert_like({"a": 1}, {"a": 1, "b": "…"})
    with pytest.raises(AssertionError):
        assert_like({"a": [{"b": 1}]}, {"a": [{"b": 2}]})


def test_every_code_of_a_problem_is_explained_with_its_status() -> None:
    rows = re.findall(r"^\| ([\d, ]+) \| (.+?) \|", PAGE, re.MULTILINE)
    told = {code: row for row, codes in rows for code in re.findall(r"`(\w+)`", codes)}
    kinds = [*KINDS.values(), *HTTP_KINDS.values()]
    assert {kind.code: str(kind.status) in told.get(kind.code, "") for kind in kinds} == {
        kind.code: True for kind in kinds
    }
