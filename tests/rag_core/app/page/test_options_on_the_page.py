"""The panel of options: who answers, how, and by whose key; where the operator allows it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator

from rag_core.embedded import StackUrls
from tests.rag_core.adapters.generators.conftest import (
    DONE,
    USAGE_EVENT,
    Play,
    PlayingServer,
    event,
    playing,
)
from tests.rag_core.app.page.conftest import Site, Visit, visits
from tests.rag_core.app.page.visitor import Visitor
from tests.rag_core.app.server_process import serving

pytestmark = pytest.mark.asyncio(loop_scope="session")

PIECES = event("Grace is a gift [1].") + event(None, "stop") + USAGE_EVENT + DONE
ANSWERED = Play(headers={"Content-Type": "text/event-stream"}, body=PIECES)
QUESTION = "What does Paul call grace?"
OWN_KEY = "zq-own-key-4711-of-ruth"


@dataclass(frozen=True)
class Desk:
    """A site with two providers, and what they were asked."""

    site: Site
    groq: PlayingServer
    local: PlayingServer


def variables_of(*servers: PlayingServer) -> dict[str, str]:
    """Two providers of which each answer costs a thousandth of a dollar or so."""
    given = {"RAG_PROVIDERS": "groq,local", "RAG_GENERATOR": "providers"}
    given |= {"RAG_ANSWER_OPTIONS": "true", "RAG_OWN_PROVIDER_KEYS": "true"}
    for name, server in zip(("GROQ", "LOCAL"), servers, strict=True):
        server.plays.append(ANSWERED)
        given |= {
            f"RAG_PROVIDER_{name}_BASE_URL": server.url,
            f"RAG_PROVIDER_{name}_KEY": f"operators-{name}",
            f"RAG_PROVIDER_{name}_MODEL": f"{name.lower()}-model",
            f"RAG_PROVIDER_{name}_PRICE_INPUT_USD": "0",
            f"RAG_PROVIDER_{name}_PRICE_OUTPUT_USD": "0.005",
        }
    return given


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def desk(database_url: str, stack: StackUrls, exported_model: Path) -> AsyncIterator[Desk]:
    async with playing() as groq, playing() as local:
        variables = variables_of(groq, local)
        variables |= {"RAG_DATABASE_URL": database_url, "RAG_REDIS_URL": stack.redis_url}
        variables |= {"RAG_REDIS_BUDGET_S": "5"}
        with TemporaryDirectory(prefix="page-") as folder:
            async with serving(Path(folder), exported_model, variables) as server:
                yield Desk(Site(str(server.client.base_url).rstrip("/")), groq, local)


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Browser, desk: Desk) -> AsyncIterator[Visit]:
    for each in (desk.groq, desk.local):
        each.requests.clear()
        each.headers.clear()
        each.plays[:] = [ANSWERED]
    async with visits(browser, desk.site.url) as visit:
        yield visit


async def somebody(visit: Visit, site: Site, **options: object) -> Visitor:
    key, visitor = site.key("ruth"), await visit(**options)
    await site.put(key, "grace", "On grace", "Paul calls grace a gift. Nobody can buy grace.")
    await visitor.sign_in(key)
    await button(visitor).wait_for()
    return visitor


def button(visitor: Visitor) -> Locator:
    return visitor.page.locator("#show-options")


async def test_who_answers_and_how_is_chosen_by_keyboard_and_shown(
    visit: Visit, desk: Desk
) -> None:
    visitor = await somebody(visit, desk.site)
    keyboard = visitor.page.keyboard
    await button(visitor).focus()
    await keyboard.press("Enter")
    panel = visitor.page.get_by_role("dialog", name="Options")
    await panel.get_by_label("Who answers").focus()
    await keyboard.type("local")
    await keyboard.press("Tab")
    await keyboard.type("0.7")
    await keyboard.press("Tab")
    await keyboard.type("50")
    await keyboard.press("Enter")
    await panel.wait_for(state="hidden")
    told = await button(visitor).inner_text()
    assert told == "Options: local, temperature 0.7, 50 tokens"
    turn = await visitor.ask(QUESTION)
    assert "local" in await turn.locator(".about").inner_text()
    (asked,) = desk.local.requests
    assert (asked["temperature"], asked["max_tokens"]) == (0.7, 50)
    assert desk.groq.requests == []
    await button(visitor).click()
    await panel.get_by_role("button", name="Back to the usual").click()
    again = await visitor.ask(QUESTION)
    about = await again.locator(".about").inner_text()
    assert "groq" in about
    assert "Fresh" in about, "what was made by options is not served for the usual"


async def test_what_is_out_of_bounds_is_not_taken(visit: Visit, desk: Desk) -> None:
    visitor = await somebody(visit, desk.site)
    await button(visitor).click()
    panel = visitor.page.get_by_role("dialog", name="Options")
    await panel.get_by_label("Temperature").fill("3")
    await visitor.page.keyboard.press("Enter")
    assert await panel.locator(":invalid").count() > 0
    await panel.get_by_role("button", name="Close").click()
    assert await button(visitor).inner_text() == "Options"


async def test_what_is_left_of_the_days_budget_is_shown(visit: Visit, desk: Desk) -> None:
    visitor = await somebody(visit, desk.site)
    standing = visitor.page.locator("#standing")
    await standing.get_by_text("$4.90 of $4.90 left today").wait_for()
    await visitor.ask(QUESTION)
    await standing.get_by_text("$4.89 of $4.90 left today").wait_for()


async def test_a_key_of_ones_own_is_in_the_tabs_memory_and_in_the_call_alone(
    visit: Visit, desk: Desk
) -> None:
    visitor = await somebody(visit, desk.site)
    await button(visitor).click()
    panel = visitor.page.get_by_role("dialog", name="Options")
    await panel.get_by_label("Your own key").fill(OWN_KEY)
    await panel.get_by_role("button", name="Use these").click()
    assert await panel.is_visible(), "whose key it is must be said"
    await panel.get_by_label("Who answers").select_option("local")
    await panel.get_by_role("button", name="Use these").click()
    turn = await visitor.ask(QUESTION)
    assert "no cost" in await turn.locator(".about").inner_text()
    assert desk.local.headers[-1]["authorization"] == f"Bearer {OWN_KEY}"
    stored = "JSON.stringify([{...sessionStorage}, {...localStorage}, document.cookie])"
    assert OWN_KEY not in await visitor.page.evaluate(stored)
    assert OWN_KEY not in await visitor.page.content()
    await visitor.page.get_by_role("button", name="Sign out").click()
    assert await visitor.page.locator("#option-key").input_value() == ""


async def test_a_key_that_does_not_hold_is_told_in_words(visit: Visit, desk: Desk) -> None:
    visitor = await somebody(visit, desk.site)
    desk.local.plays[:] = [Play(401)]
    await button(visitor).click()
    panel = visitor.page.get_by_role("dialog", name="Options")
    await panel.get_by_label("Your own key").fill(OWN_KEY)
    await panel.get_by_label("Who answers").select_option("local")
    await panel.get_by_role("button", name="Use these").click()
    await visitor.begin(QUESTION)
    await visitor.page.get_by_text("Your key is not accepted by the provider.").wait_for()
    assert all("422" in each for each in visitor.complaints)
    visitor.complaints.clear()  # the browser's own line on the 422


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_to_complain_of_in_the_panel(
    visit: Visit, desk: Desk, scheme: str, width: int
) -> None:
    size = {"width": width, "height": 800}
    visitor = await somebody(
        visit, desk.site, color_scheme=scheme, viewport=size, reduced_motion="reduce"
    )
    await button(visitor).click()
    await visitor.page.get_by_label("Who answers").select_option("local")
    await visitor.page.get_by_label("Temperature").fill("0.7")
    assert await visitor.violations() == []
    await visitor.page.get_by_role("button", name="Use these").click()
    await visitor.ask(QUESTION)
    assert await visitor.violations() == []
    narrow = "document.documentElement.scrollWidth <= innerWidth"
    assert await visitor.page.evaluate(narrow), "nothing sticks out to the side"
