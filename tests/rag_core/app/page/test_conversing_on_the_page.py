"""The page in a browser: a conversation goes on, is found again, and is nobody else's."""

from __future__ import annotations

import pytest

from tests.rag_core.app.page.conftest import Site, Visit
from tests.rag_core.app.page.visitor import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUESTION = "What does Paul call grace?"
STORM = "A storm rose over the lake. Waves filled the boat. Peace stilled the storm."


async def somebody(visit: Visit, site: Site) -> Visitor:
    """A visitor with two notes, who has asked a question and then a follow-up."""
    key, visitor = site.key("ruth"), await visit()
    await site.put(key, "grace", "On grace", "Paul calls grace a gift. Nobody can buy grace.")
    await site.put(key, "storm", "On the storm", STORM)
    await visitor.sign_in(key)
    await visitor.ask(QUESTION)
    await visitor.ask("And the storm?")
    return visitor


async def test_a_follow_up_says_what_it_was_understood_as(visit: Visit, site: Site) -> None:
    visitor = await somebody(visit, site)
    understood = visitor.turns.last.locator(".understood")
    assert "storm" in await understood.inner_text()
    assert "Understood as:" in await understood.inner_text()
    assert await visitor.turns.first.locator(".understood").count() == 0


async def test_a_conversation_is_there_again_after_the_browser_was_closed(
    visit: Visit, site: Site
) -> None:
    key = (await somebody(visit, site)).key
    again = await visit()
    await again.sign_in(key)
    await again.page.get_by_role("button", name="History").click()
    drawer = again.page.get_by_role("dialog", name="Conversations")
    await drawer.get_by_role("button", name=QUESTION).first.click()
    await drawer.wait_for(state="hidden")
    assert await again.turns.count() == 2
    await again.turns.first.get_by_role("button", name="Show the answer").click()
    await again.turns.first.locator(".about").wait_for()
    assert "gift" in await again.turns.first.inner_text()
    assert "Cached" in await again.turns.first.locator(".about").inner_text()
    await again.page.reload()
    await again.turns.nth(1).wait_for()


async def test_a_conversation_that_is_deleted_is_gone(visit: Visit, site: Site) -> None:
    visitor = await somebody(visit, site)
    await visitor.page.get_by_role("button", name="History").click()
    drawer = visitor.page.get_by_role("dialog", name="Conversations")
    delete = drawer.get_by_role("button", name="Delete the conversation")
    await delete.wait_for()
    assert await visitor.violations() == []
    await delete.click()
    await drawer.get_by_role("button", name="press again to confirm").click()
    await delete.wait_for(state="detached")
    await drawer.get_by_role("button", name="Close").click()
    assert await visitor.turns.count() == 0
    await visitor.page.get_by_role("button", name="History").click()
    await drawer.get_by_text("Nothing was asked yet.").wait_for()


async def test_a_new_conversation_knows_nothing_of_the_last(visit: Visit, site: Site) -> None:
    visitor = await somebody(visit, site)
    await visitor.page.get_by_role("button", name="History").click()
    await visitor.page.get_by_role("button", name="New conversation").click()
    assert await visitor.turns.count() == 0
    turn = await visitor.ask("And the storm?")
    assert await turn.locator(".understood").count() == 0


async def test_nobody_sees_the_conversations_of_somebody_else(visit: Visit, site: Site) -> None:
    await somebody(visit, site)
    naomi = await visit()
    await naomi.sign_in(site.key("naomi"))
    await naomi.page.get_by_role("button", name="History").click()
    await naomi.page.get_by_text("Nothing was asked yet.").wait_for()
    assert "grace" not in await naomi.page.content()
