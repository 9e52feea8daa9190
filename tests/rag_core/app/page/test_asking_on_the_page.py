"""The page in a browser: a question, its answer with sources, and nobody else's notes."""

from __future__ import annotations

import pytest

from rag_core.adapters.postgres import Database, PostgresFeedback
from tests.rag_core.app.page.conftest import Site, Visit
from tests.rag_core.app.page.visitor import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")

GRACE = "Grace means unearned favour. Paul calls grace a gift. Nobody can buy grace."
QUESTION = "What does Paul call grace?"


async def somebody(visit: Visit, site: Site, body: str = GRACE, **options: object) -> Visitor:
    """A visitor who is signed in and has one note."""
    key, visitor = site.key("ruth"), await visit(**options)
    await site.put(key, "grace", "On grace", body)
    await visitor.sign_in(key)
    return visitor


async def test_an_answer_comes_with_its_sources_beside_it_and_says_how_it_was_made(
    visit: Visit, site: Site
) -> None:
    visitor = await somebody(visit, site)
    turn = await visitor.ask(QUESTION)
    assert "Paul calls grace a gift." in await turn.locator(".words").inner_text()
    assert "Paul calls grace a gift." in await turn.locator(".source mark").inner_text()
    about = await turn.locator(".about").inner_text()
    assert "Fresh" in about
    assert "no cost" in about
    standing = visitor.page.locator("#standing")
    assert "9 of 10 questions left this minute" in await standing.inner_text()
    again = await visitor.ask(QUESTION)
    assert "Cached" in await again.locator(".about").inner_text()


async def test_the_quoted_words_are_marked_in_the_note(visit: Visit, site: Site) -> None:
    before = "A flute 🎶 plays. " * 40
    visitor = await somebody(visit, site, f"{before}{GRACE} {before}")
    turn = await visitor.ask(QUESTION)
    await turn.get_by_role("button", name="Source").first.click()
    await turn.get_by_role("button", name="in its note").first.click()
    reader = visitor.page.get_by_role("dialog", name="On grace")
    marked = reader.locator(".passage mark").first
    await marked.wait_for()
    assert "Paul calls grace a gift." in await marked.inner_text()
    assert (await reader.locator(".note").inner_text()).count("🎶") == 80, "all of it is there"
    await visitor.page.keyboard.press("Escape")
    await reader.wait_for(state="hidden")


async def test_a_script_in_a_note_stays_text(visit: Visit, site: Site) -> None:
    attack = "<img src=x onerror=alert(1)><script>alert(2)</script><b>Paul</b> calls grace a gift."
    visitor = await visit()
    asked = []
    visitor.page.on("dialog", lambda dialog: asked.append(dialog.message))
    key = site.key("ruth")
    await site.put(key, "grace", "<i>On</i> grace", f"{attack} Nobody can buy grace.")
    await visitor.sign_in(key)
    turn = await visitor.ask(QUESTION)
    await turn.get_by_role("button", name="in its note").first.click()
    await visitor.page.locator("#reader-body mark").first.wait_for()
    assert attack in await visitor.page.locator("#reader-body").inner_text()
    assert "<i>On</i> grace" in await turn.locator(".source h3").first.inner_text()
    inserted = visitor.page.locator(".turn :is(img, script, b, i), .reader :is(img, script, b, i)")
    assert await inserted.count() == 0
    assert asked == []


async def test_another_user_sees_nothing_of_it(visit: Visit, site: Site) -> None:
    ruth = await somebody(visit, site)
    assert "gift" in await (await ruth.ask(QUESTION)).inner_text()
    naomi = await visit()
    await naomi.sign_in(site.key("naomi"))
    await naomi.page.get_by_text("There are none yet").wait_for()
    turn = await naomi.ask(QUESTION)
    assert "Nothing found" in await turn.locator(".about").inner_text()
    assert "gift" not in await naomi.page.content()


async def test_a_thumb_and_a_comment_are_kept_with_the_answer(
    visit: Visit, site: Site, database: Database
) -> None:
    visitor = await somebody(visit, site)
    turn = await visitor.ask(QUESTION)
    await turn.get_by_role("button", name="Bad answer").click()
    await turn.get_by_text("Thank you.").wait_for()
    assert await turn.get_by_role("button", name="Bad answer").get_attribute("aria-pressed")
    await turn.get_by_label("Comment on this answer").fill("<b>It</b> misses the point.")
    await turn.get_by_role("button", name="Send comment").click()
    await turn.get_by_label("Comment on this answer").wait_for(state="detached")
    (kept,) = await PostgresFeedback(database).given(site.user_of(visitor.key))
    assert (kept.question, kept.thumb) == (QUESTION, "down")
    assert kept.comment == "<b>It</b> misses the point."
    assert kept.note_ids == ("grace",)


async def test_signing_out_leaves_nothing_behind(visit: Visit, site: Site) -> None:
    visitor = await somebody(visit, site)
    await visitor.ask(QUESTION)
    await visitor.page.get_by_role("button", name="Sign out").click()
    assert "gift" not in await visitor.page.content()
    stored = "JSON.stringify([{...sessionStorage}, {...localStorage}, document.cookie])"
    assert await visitor.page.evaluate(stored) == '[{},{},""]'


async def test_the_key_is_kept_for_the_tab_alone(visit: Visit, site: Site) -> None:
    visitor = await somebody(visit, site)
    await visitor.page.reload()
    await visitor.page.get_by_label("Your question").wait_for()
    assert await visitor.page.evaluate("({...localStorage})") == {}
    assert await visitor.page.evaluate("document.cookie") == ""
    another_tab = await visitor.page.context.new_page()
    await another_tab.goto(site.url)
    await another_tab.get_by_label("Key", exact=True).wait_for()


async def test_a_key_that_is_not_known_is_refused_in_words(visit: Visit, site: Site) -> None:
    visitor = await visit()
    await visitor.open()
    await visitor.page.get_by_label("Key", exact=True).fill("rag_nonsense")
    await visitor.page.keyboard.press("Enter")
    await visitor.page.get_by_text("This key is not known").wait_for()
    assert all("401" in each for each in visitor.complaints)
    visitor.complaints.clear()  # the browser's own line on the 401


async def test_who_asks_too_often_is_told_when_to_come_back(visit: Visit, site: Site) -> None:
    visitor = await somebody(visit, site)
    for _ in range(10):
        await visitor.ask(QUESTION)
    await visitor.begin(QUESTION)
    again = visitor.turns.last.get_by_role("button", name="Ask again")
    await again.wait_for()
    assert await again.is_disabled()
    assert "in" in await again.inner_text()
    assert all("429" in each for each in visitor.complaints)
    visitor.complaints.clear()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_to_complain_of(
    visit: Visit, site: Site, scheme: str, width: int
) -> None:
    size = {"width": width, "height": 800}
    visitor = await visit(color_scheme=scheme, viewport=size, reduced_motion="reduce")
    await visitor.open()
    assert await visitor.violations() == []
    key = site.key("ruth")
    await site.put(key, "grace", "On grace", GRACE)
    await visitor.sign_in(key)
    assert await visitor.violations() == []
    turn = await visitor.ask(QUESTION)
    assert await visitor.violations() == []
    await turn.get_by_role("button", name="Source").first.click()
    await turn.get_by_role("button", name="in its note").first.click()
    await visitor.page.locator("#reader-body mark").first.wait_for()
    assert await visitor.violations() == []
    narrow = "document.documentElement.scrollWidth <= innerWidth"
    assert await visitor.page.evaluate(narrow), "nothing sticks out to the side"
