"""A verdict in a notebook reads as it was written."""

from __future__ import annotations

import html
import re

from evals.results.paragraph import Paragraph


def test_dollars_stay_dollars_in_jupyterlab() -> None:
    """MathJax pairs two $ within one piece of text between tags, and skips the class."""
    shown = Paragraph("From $50 a day to $100, <b> & all.")._repr_mimebundle_()
    pieces = re.split(r"<[^>]*>", shown["text/html"])
    assert [piece for piece in pieces if piece.count("$") > 1 or re.search(r"\$\S", piece)] == []
    assert "mathjax_ignore" in shown["text/html"]
    assert html.unescape("".join(pieces)) == shown["text/plain"]


def test_what_looks_like_html_is_text() -> None:
    assert "<b>" not in Paragraph("a <b> c")._repr_mimebundle_()["text/html"]
