"""What texts tell a reader to run or to reach, is there."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from evals.__main__ import main as evals
from rag_core.__main__ import main as rag_core
from rag_core.settings import load_settings

ROOT = Path(__file__).resolve().parents[1]
TEXTS = [
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/**/*.md"),
    *ROOT.glob("notebooks/*.ipynb"),
    *ROOT.glob("golden/*.md"),
    *ROOT.glob("rag_core/**/*.py"),
    *ROOT.glob("evals/**/*.py"),
    *ROOT.glob(".env.*"),
    ROOT / "docker-compose.yml",
]
PAGES = [path for path in TEXTS if path.suffix == ".md"]
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
COMMANDS = {"rag_core": rag_core, "evals": evals}


@pytest.mark.parametrize("package", COMMANDS)
def test_every_command_that_a_text_names_exists(
    package: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert COMMANDS[package](["--help"]) == 0
    listed = capsys.readouterr().out.partition("Commands:")[2]
    there = set(re.findall(r"^  ([a-z-]+) ", listed, re.MULTILINE))
    assert there
    command = re.compile(rf"python -m {package}(?: --env \S+)? ([a-z-]+)")
    named = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in TEXTS
        for name in command.findall(path.read_text(encoding="utf-8"))
        if name not in there and not name.startswith("--")
    }
    assert named == set()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_within_the_project_leads_somewhere(path: Path) -> None:
    links = LINK.findall(path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_every_decision_is_linked_from_the_map() -> None:
    links = LINK.findall((ROOT / "docs/architecture.md").read_text(encoding="utf-8"))
    decisions = {f"decisions/{path.name}" for path in ROOT.glob("docs/decisions/*.md")}
    assert decisions <= set(links)


def test_every_host_of_the_production_settings_is_a_service_of_compose() -> None:
    settings = load_settings(ROOT / ".env.production")
    compose = (ROOT / "docker-compose.yml").read_text()
    services = re.findall(r"^  ([\w-]+):$", compose.partition("\nservices:")[2], re.MULTILINE)
    urls = (settings.database_url, settings.redis_url)
    hosts = [urlsplit(url.get_secret_value()).hostname for url in urls if url]
    assert len(hosts) == 2
    assert set(hosts) <= set(services)
