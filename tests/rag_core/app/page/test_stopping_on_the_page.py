"""The page in a browser: an answer is shown as it comes, and can be stopped."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from playwright.async_api import Browser

from rag_core.embedded import StackUrls
from tests.rag_core.app.page.conftest import Site, visits
from tests.rag_core.app.server_process import holding, serving

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_an_answer_is_shown_as_it_comes_and_stops_when_it_is_told_to(
    browser: Browser, database_url: str, stack: StackUrls, exported_model: Path
) -> None:
    async with holding() as (provider, provider_url):
        variables = {"RAG_DATABASE_URL": database_url, "RAG_REDIS_URL": stack.redis_url}
        variables |= {"RAG_HF_BASE_URL": provider_url, "RAG_HF_TIMEOUT_S": "120"}
        variables |= {"RAG_REQUEST_TIMEOUT_S": "120"}
        with TemporaryDirectory(prefix="page-") as folder:
            async with serving(Path(folder), exported_model, variables) as server:
                site = Site(str(server.client.base_url).rstrip("/"))
                async with visits(browser, site.url) as visit:
                    key, visitor = site.key("ruth"), await visit()
                    await site.put(key, "grace", "On grace", "Paul calls grace a gift.")
                    await visitor.sign_in(key)
                    await visitor.begin("What does Paul call grace?")
                    await provider.asked.wait()
                    words = visitor.turns.last.locator(".words")
                    assert await words.get_attribute("aria-busy") == "true"
                    stop = visitor.page.get_by_role("button", name="Stop")
                    await stop.wait_for()
                    await visitor.page.keyboard.press("Escape")
                    await visitor.page.get_by_text("Stopped.").wait_for()
                    await stop.wait_for(state="hidden")
                    provider.go_on.set()
                    whole = await visitor.ask("What does Paul call grace, again?")
                    assert "Grace is a gift" in await whole.inner_text()
