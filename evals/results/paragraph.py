"""Plain text as a notebook shows it: a paragraph, with nothing in it taken for mathematics."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A text that a notebook displays when it stands last in a cell.

    In Markdown, JupyterLab would typeset what stands between two dollar signs, `\\\\$` included.
    """

    text: str

    def _repr_mimebundle_(self, **kwargs: object) -> dict[str, str]:
        # MathJax joins no text across tags, and skips these classes (of version 3 and of 2).
        signs = escape(self.text).replace("$", "<span>$</span>")
        page = f'<p class="mathjax_ignore tex2jax_ignore">{signs}</p>'
        return {"text/html": page, "text/plain": self.text}
