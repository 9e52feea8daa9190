"""An executed notebook as a page, to be read where there is no Jupyter and no network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evals.results.notebook_run import NotebookRun

_TEMPLATES = Path(__file__).parent
_TEMPLATE = "notebook_page"


def write_notebook_pages(runs: Sequence[NotebookRun]) -> None:
    """Beside each executed notebook an `.html` that opens on its story, with its code folded."""
    from nbconvert import HTMLExporter

    exporters: Any = HTMLExporter  # has no annotations
    exporter = exporters(
        template_name=_TEMPLATE, extra_template_basedirs=[str(_TEMPLATES)], embed_images=True
    )
    for run in runs:
        if run.executed.is_file():
            body, _ = exporter.from_filename(str(run.executed))
            run.executed.with_suffix(".html").write_text(body, encoding="utf-8")
