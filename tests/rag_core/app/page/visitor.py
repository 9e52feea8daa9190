"""Somebody who opens the page in Chromium, and everything that the browser complains of."""

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
from playwright.async_api import Browser, Locator, Page, Request, async_playwright

PATIENCE_MS = 60_000
"""For whatever is waited for: a busy machine must not look like a bug."""

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str:
    """The program that `.ci/chromium.py` finds or fetches."""
    fetched = str(Path(sys.prefix) / "chromium" / "chromium")
    named = (os.environ.get("RAG_TEST_CHROMIUM"), *map(shutil.which, NAMES), fetched)
    there = next((each for each in named if each and Path(each).exists()), None)
    assert there, "there is no Chromium: run make chromium, or name one in RAG_TEST_CHROMIUM"
    return there


@asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    """Chromium without a window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium())
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Visitor:
    """A tab, and what went wrong in it."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)
    """What the console calls an error, and what a script did not catch."""
    key: str = ""
    """That he signed in with."""
    elsewhere: list[str] = field(default_factory=list)
    """URLs of requests to other servers."""

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("console", lambda told: self._hear(told.type, told.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._see)

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)

    def _see(self, request: Request) -> None:
        if not request.url.startswith(self.url):
            self.elsewhere.append(request.url)

    async def open(self) -> None:
        await self.page.goto(self.url)

    async def sign_in(self, key: str) -> None:
        self.key = key
        await self.open()
        await self.page.get_by_label("Key").fill(key)
        await self.page.get_by_role("button", name="Continue").click()
        await self.page.get_by_label("Your question").wait_for()

    async def begin(self, question: str) -> None:
        """Ask, by keyboard alone."""
        await self.page.get_by_label("Your question").fill(question)
        await self.page.keyboard.press("Enter")

    async def ask(self, question: str) -> Locator:
        """The turn, once it is answered."""
        before = await self.turns.count()
        await self.begin(question)
        turn = self.turns.nth(before)
        await turn.locator(".about").wait_for()
        await self.page.get_by_role("button", name="Ask", exact=True).wait_for()
        return turn

    @property
    def turns(self) -> Locator:
        return self.page.locator(".turn")

    async def violations(self) -> list[str]:
        """What axe finds against the page as it is."""
        found: dict[str, Any] = (await Axe().run(self.page)).response
        return [
            f"{each['id']}: {node['html']}"
            for each in found["violations"]
            for node in each["nodes"]
        ]
