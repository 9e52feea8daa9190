"""Chromium without a window, and a tab that remembers what went wrong in it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, ConsoleMessage, Page, Request, async_playwright

from rag_core.errors import ConfigurationError

PATIENCE_MS = 60_000.0
"""For whatever is waited for, in milliseconds: a busy machine must not look like a bug. Chosen."""

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> Path:
    """The program that `.ci/chromium.py` finds or fetches.

    Raises:
        ConfigurationError: there is none.
    """
    fetched = str(Path(sys.prefix) / "chromium" / "chromium")
    named = (os.environ.get("RAG_TEST_CHROMIUM"), *map(shutil.which, _NAMES), fetched)
    for each in named:
        if each and Path(each).exists():
            return Path(each)
    raise ConfigurationError(
        "RAG_TEST_CHROMIUM", "there is no Chromium", "Run make chromium, or name the program"
    )


@asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    """The browser, while in use."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium())
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Tab:
    """A page that was opened at `url`, and what went wrong in it."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)
    """What the console calls an error or warns of, and what a script did not catch."""
    elsewhere: list[str] = field(default_factory=list)
    """URLs of requests to other servers."""

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._see)

    def _hear(self, told: ConsoleMessage) -> None:
        if told.type in ("error", "warning"):
            self.complaints.append(told.text)

    def _see(self, request: Request) -> None:
        if not request.url.startswith(self.url):
            self.elsewhere.append(request.url)

    async def violations(self) -> list[str]:
        """What axe finds against the page as it is: the rule, and the element."""
        found: dict[str, Any] = (await Axe().run(self.page)).response
        rules = found["violations"]
        return [f"{each['id']}: {node['html']}" for each in rules for node in each["nodes"]]
