"""What the README shows, works."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rag_core.domain import NO_CONTEXT_TEXT

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


async def test_the_python_of_the_readme_runs(database_url: str, exported_model: Path) -> None:
    (code,) = _blocks("python")
    environment = os.environ | {
        "RAG_DATABASE_URL": database_url,
        "RAG_EMBEDDER_MODEL": str(exported_model),
    }
    run = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-W", "error", "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert NO_CONTEXT_TEXT in run.stdout


@pytest.mark.parametrize(
    "module", sorted(set(re.findall(r"python -m ((?:rag_core|evals)[\w.]*)", README)))
)
def test_every_module_the_readme_runs_has_help(module: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", module, "--help"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert "usage" in run.stdout


def test_every_file_the_readme_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_target_the_readme_names_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        target for block in _blocks("console") for target in re.findall(r"^make (\w+)", block, re.M)
    }
    assert named
    assert named <= targets
