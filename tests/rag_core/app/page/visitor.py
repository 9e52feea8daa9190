"""Somebody who opens the page, signs in and asks."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.async_api import Locator

from evals.bench.browser import Tab


@dataclass
class Visitor(Tab):
    """A person with a tab."""

    key: str = ""
    """That he signed in with."""

    async def open(self) -> None:
        await self.page.goto(self.url)

    async def sign_in(self, key: str) -> None:
        self.key = key
        await self.open()
        await self.page.get_by_label("Key", exact=True).fill(key)
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
        await self.page.locator("#send").wait_for()
        return turn

    @property
    def turns(self) -> Locator:
        return self.page.locator(".turn")
