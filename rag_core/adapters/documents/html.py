"""HTML as Markdown, without what it would do or look like."""

from __future__ import annotations

from typing import Any

from rag_core.adapters.documents.extras import needed
from rag_core.adapters.documents.front_matter import decoded
from rag_core.adapters.documents.parsed import Parsed, keywords

_NOT_SAID = ("head", "script", "style", "noscript", "template", "iframe", "object", "nav", "form")


def parse_html(content: bytes) -> Parsed:
    """What a page says: headings, paragraphs, lists and tables as Markdown.

    Raises:
        ConfigurationError: what reads HTML is not installed.
    """
    bs4, markdownify = needed("bs4", "html"), needed("markdownify", "html")
    page = bs4.BeautifulSoup(_text(content), "lxml")
    title = page.title.get_text(" ", strip=True) if page.title else ""
    author, tags = _meta(page, "author"), keywords(_meta(page, "keywords"))
    for element in page.find_all(_NOT_SAID):
        element.decompose()
    plain = dict.fromkeys(("escape_asterisks", "escape_underscores", "escape_misc"), False)
    converter = markdownify.MarkdownConverter(heading_style="ATX", strip=["a", "img"], **plain)
    text = converter.convert_soup(page)
    return Parsed(
        text=text,
        title=title,
        author=author,
        tags=tags,
        said_in="the page's head",
    )


def _text(content: bytes) -> str | bytes:
    """Bytes, where the page itself may say how they are to be read."""
    return content if b"charset" in content[:2048].lower() else decoded(content)


def _meta(page: Any, name: str) -> str:
    element = page.find("meta", attrs={"name": name})
    return " ".join(str(element.get("content", "")).split()) if element else ""
