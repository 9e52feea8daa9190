"""What texts tell a reader to run or to reach, is there."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from evals.__main__ import main as evals
from rag_core.__main__ import main as rag_core
from rag_core.settings import Settings, load_settings

ROOT = Path(__file__).resolve().parents[1]
TEXTS = [
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/**/*.md"),
    *ROOT.glob("notebooks/*.ipynb"),
    *ROOT.glob("golden/*.md"),
    *ROOT.glob("rag_core/**/*.py"),
    *ROOT.glob("evals/**/*.py"),
    *ROOT.glob(".env.*"),
    *ROOT.glob("deploy/*"),
    ROOT / "docker-compose.yml",
]
TEXTS = [path for path in TEXTS if path.is_file()]
PAGES = [path for path in TEXTS if path.suffix == ".md"]
OF_TODAY = [path for path in PAGES if path.name != "CHANGELOG.md"]
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
CODE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
COMMANDS = {"rag_core": rag_core, "evals": evals}
OTHERS = ("RAG_PROVIDER_", "RAG_TEST_", "RAG_JUDGE_", "RAG_VERIFIER_")
"""Of providers by name, and what the tests and the evals read."""


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
    assert [link for link, _ in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_heading_finds_it(path: Path) -> None:
    links = LINK.findall(path.read_text(encoding="utf-8"))
    there = {(link, each) for link, each in links if each and each in anchors(path, link)}
    assert {(link, each) for link, each in links if each} == there


def anchors(page: Path, link: str) -> set[str]:
    """The names of headings of the page that a link leads to, as GitHub makes them."""
    target = page.parent / link if link else page
    text = CODE.sub("", target.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_decision_is_linked_from_the_map() -> None:
    links = [link for link, _ in LINK.findall((ROOT / "docs/architecture.md").read_text("utf-8"))]
    decisions = {f"decisions/{path.name}" for path in ROOT.glob("docs/decisions/*.md")}
    assert decisions <= set(links)


def test_every_target_of_make_that_a_page_names_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        f"{path.relative_to(ROOT)}: make {target}"
        for path in OF_TODAY
        for code in re.findall(r"`make [^`]+`|^make .+$", path.read_text("utf-8"), re.MULTILINE)
        for target in re.findall(r"^`?make ([a-z-]+)", code)
        if target not in targets
    }
    assert named == set()


def test_every_setting_that_a_page_names_is_one() -> None:
    known = {f"RAG_{name.upper()}" for name in Settings.model_fields}
    known |= {f"{name}_FILE" for name in known}
    named = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in OF_TODAY
        for name in re.findall(r"RAG_[A-Z_]+[A-Z]\b(?![_<*])", path.read_text("utf-8"))
        if name not in known and not name.startswith(OTHERS)
    }
    assert named == set()


def test_every_host_of_the_production_settings_is_a_service_of_compose() -> None:
    settings = load_settings(ROOT / ".env.production")
    compose = (ROOT / "docker-compose.yml").read_text()
    services = re.findall(r"^  ([\w-]+):$", compose.partition("\nservices:")[2], re.MULTILINE)
    urls = (settings.database_url, settings.redis_url)
    hosts = [urlsplit(url.get_secret_value()).hostname for url in urls if url]
    assert len(hosts) == 2
    assert set(hosts) <= set(services)
