"""Executed notebooks as pages: the story first, code folded, no network."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from evals.results.notebook_run import NotebookRun
from evals.run.notebook_pages import write_notebook_pages
from tests.evals.run.notebook_files import code, markdown, write_notebook

pytestmark = pytest.mark.filterwarnings("default")  # nbconvert warns of what only it can change
WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def page(tmp_path: Path) -> str:
    """Of a notebook with a story, a result, and a slider."""
    output = {"output_type": "stream", "name": "stdout", "text": "forty-two\n"}
    slider = {
        "output_type": "display_data",
        "metadata": {},
        "data": {WIDGET: {"model_id": "1", "version_major": 2}, "text/plain": "slider"},
    }
    cells = [
        markdown("# What is the answer?\n\nWe $ask$."),
        code("6 * 7", outputs=[output], execution_count=1),
        code("interact(draw)", outputs=[slider], execution_count=2),
    ]
    executed = write_notebook(tmp_path / "01_small.ipynb", cells)
    write_notebook_pages([NotebookRun("01_small", executed, 1.0)])
    return executed.with_suffix(".html").read_text()


class Fetched(HTMLParser):
    """What a browser would fetch, and what stands inside of folded code."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.scripts = 0
        self.folded, self.seen, self._depth = "", "", 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        self.scripts += tag == "script"
        self._depth += tag == "details"

    def handle_endtag(self, tag: str) -> None:
        self._depth -= tag == "details"

    def handle_data(self, data: str) -> None:
        if self._depth:
            self.folded += data
        else:
            self.seen += data


def test_a_page_needs_no_network_and_runs_no_script(page: str) -> None:
    read = Fetched()
    read.feed(page)
    assert read.scripts == 0
    assert not [link for link in read.links if re.match(r"\w+://|//", link)]
    assert "@import" not in page
    assert not re.search(r"url\(['\"]?(?!['\"]?data:)", page)


def test_a_page_opens_on_its_story_and_outputs_with_its_code_folded(page: str) -> None:
    read = Fetched()
    read.feed(page)
    assert "What is the answer?" in read.seen
    assert "forty-two" in read.seen
    assert "interact" in read.folded
    assert "interact" not in read.seen
