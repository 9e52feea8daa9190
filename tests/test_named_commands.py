"""What texts tell a reader to run or to reach, is there."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from rag_core.__main__ import main
from rag_core.settings import load_settings

ROOT = Path(__file__).resolve().parents[1]
TEXTS = [
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/**/*.md"),
    *ROOT.glob("notebooks/*.ipynb"),
    *ROOT.glob("rag_core/**/*.py"),
    *ROOT.glob(".env.*"),
    ROOT / "docker-compose.yml",
]
COMMAND = re.compile(r"python -m rag_core(?: --env \S+)? ([a-z]+)")


def test_every_command_that_a_text_names_exists(capsys: pytest.CaptureFixture[str]) -> None:
    named = {
        (command, path)
        for path in TEXTS
        for command in COMMAND.findall(path.read_text(encoding="utf-8"))
    }
    with pytest.raises(SystemExit):
        main(["--help"])
    there = set(re.findall(r"^    ([a-z]+) ", capsys.readouterr().out, re.MULTILINE))
    assert "ask" in there
    assert {(command, path) for command, path in named if command not in there} == set()


def test_every_host_of_the_production_settings_is_a_service_of_compose() -> None:
    settings = load_settings(ROOT / ".env.production")
    compose = (ROOT / "docker-compose.yml").read_text()
    services = re.findall(r"^  ([\w-]+):$", compose.partition("\nservices:")[2], re.MULTILINE)
    urls = (settings.database_url, settings.redis_url)
    hosts = [urlsplit(url.get_secret_value()).hostname for url in urls if url]
    assert len(hosts) == 2
    assert set(hosts) <= set(services)
