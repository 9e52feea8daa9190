"""The page in a browser: a document is uploaded, answers, gets a new version, and is deleted."""

from __future__ import annotations

import pytest
from playwright.async_api import FilePayload, Locator

from tests.rag_core.app.page.conftest import Site, Visit
from tests.rag_core.app.page.visitor import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUESTION = "What is patience?"
TALK = b"""---
title: On patience
author: Ruth
tags: [waiting]
---
Patience is love that can wait. Nobody is born with it.
"""
SECOND = TALK.replace(b"love that can wait", b"hope that walks slowly")


def file(content: bytes, name: str = "talk.md") -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


async def with_a_document(visit: Visit, site: Site, **options: object) -> tuple[Visitor, Locator]:
    """A visitor whose one document is ready, and its row."""
    visitor = await visit(**options)
    await visitor.sign_in(site.key("ruth"))
    await visitor.page.get_by_role("button", name="Documents").click()
    await visitor.page.get_by_text("Nothing here yet.").wait_for()
    await visitor.page.get_by_label("Choose files").set_input_files([file(TALK)])
    row = visitor.page.locator(".document")
    await row.get_by_text("Ready").wait_for()
    return visitor, row


async def answered(visitor: Visitor) -> str:
    """What is answered to the question now."""
    await visitor.page.locator("#show-ask").click()
    text = await (await visitor.ask(QUESTION)).inner_text()
    await visitor.page.get_by_role("button", name="Documents").click()
    return text


async def test_what_is_uploaded_is_answered_from_and_a_new_version_replaces_it(
    visit: Visit, site: Site
) -> None:
    visitor, row = await with_a_document(visit, site)
    assert "On patience" in await row.inner_text()
    assert "love that can wait" in await answered(visitor)
    await row.locator("summary").click()
    await row.get_by_label("New version of On patience").set_input_files([file(SECOND)])
    await row.get_by_text("· version 2").wait_for()
    await row.locator(".state", has_text="Ready").wait_for()
    assert "hope that walks slowly" in await answered(visitor)
    await row.locator("summary").click()
    await row.get_by_role("button", name="Restore version 1").click()
    await row.get_by_text("· version 3").wait_for()
    await row.locator(".state", has_text="Ready").wait_for()
    assert "love that can wait" in await answered(visitor)


async def test_what_is_deleted_is_in_no_answer_and_can_be_brought_back(
    visit: Visit, site: Site
) -> None:
    visitor, row = await with_a_document(visit, site)
    await row.locator("summary").click()
    await row.get_by_role("button", name="Delete On patience").click()
    await row.get_by_role("button", name="press again to confirm").click()
    undo = visitor.page.get_by_role("button", name="Undo")
    await undo.wait_for()
    await visitor.page.locator("#show-ask").click()
    assert "Nothing found" in await (await visitor.ask(QUESTION)).inner_text()


async def test_a_deletion_is_undone(visit: Visit, site: Site) -> None:
    visitor, row = await with_a_document(visit, site)
    await row.locator("summary").click()
    await row.get_by_role("button", name="Delete On patience").click()
    await row.get_by_role("button", name="press again to confirm").click()
    await visitor.page.get_by_role("button", name="Undo").click()
    await row.locator(".state", has_text="Ready").wait_for()
    assert "love that can wait" in await answered(visitor)


async def test_tags_are_given_and_found_by(visit: Visit, site: Site) -> None:
    visitor, row = await with_a_document(visit, site)
    await visitor.page.get_by_label("Choose files").set_input_files([file(SECOND, "other.md")])
    await row.nth(1).wait_for()
    await row.nth(1).locator("summary").click()
    await row.nth(1).get_by_label("Tags, separated by commas").fill("<b>lent</b>, advent")
    await row.nth(1).get_by_role("button", name="Save tags").click()
    await row.nth(1).get_by_role("button", name="tagged <b>lent</b>").click()
    await visitor.page.get_by_role("button", name="show all").wait_for()
    await row.nth(1).wait_for(state="detached")
    await row.first.wait_for()
    assert await row.count() == 1
    await visitor.page.get_by_role("button", name="show all").click()
    await row.nth(1).wait_for()


async def test_a_file_that_cannot_be_read_says_why(visit: Visit, site: Site) -> None:
    visitor = await visit()
    await visitor.sign_in(site.key("ruth"))
    await visitor.page.get_by_role("button", name="Documents").click()
    broken = file(b"%PDF-1.4 nothing", "broken.pdf")
    await visitor.page.get_by_label("Choose files").set_input_files([broken])
    row = visitor.page.locator(".document")
    await row.get_by_text("Not readable").wait_for()
    assert "PDF" in await row.locator(".about").inner_text()


async def test_nobody_sees_the_documents_of_somebody_else(visit: Visit, site: Site) -> None:
    await with_a_document(visit, site)
    naomi = await visit()
    await naomi.sign_in(site.key("naomi"))
    await naomi.page.get_by_role("button", name="Documents").click()
    await naomi.page.get_by_text("Nothing here yet.").wait_for()
    assert "patience" not in await naomi.page.content()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_to_complain_of_in_the_documents(
    visit: Visit, site: Site, scheme: str, width: int
) -> None:
    size = {"width": width, "height": 800}
    visitor, row = await with_a_document(visit, site, color_scheme=scheme, viewport=size)
    await row.locator("summary").click()
    await row.get_by_text("in your answers").wait_for()
    assert await visitor.violations() == []
    narrow = "document.documentElement.scrollWidth <= innerWidth"
    assert await visitor.page.evaluate(narrow), "nothing sticks out to the side"
