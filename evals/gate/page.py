"""The verdict as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from evals.gate.finding import Judgement, Status
from evals.gate.wording import COLUMNS, LINES, PARTS, cells
from evals.report.page import TEMPLATES

_COLOURS: Mapping[Status, str] = {
    Status.PASS: "good",
    Status.REGRESSION: "bad",
    Status.INVALID: "bad",
    Status.INFRASTRUCTURE: "bad",
    Status.INCONCLUSIVE: "watch",
    Status.NOT_GATED: "",
}


def page(judgement: Judgement) -> str:
    """The page; every text that came from notes, questions or answers is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader([Path(__file__).parent / "templates", TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"cells": cells, "colour": _COLOURS.__getitem__}
    found = judgement.findings
    parts = [(part, [each for each in found if each.part == part]) for part in PARTS]
    return environment.get_template("gate.html").render(
        judgement=judgement,
        line=LINES[judgement.status],
        blocking=[each for each in found if each.status not in (Status.PASS, Status.NOT_GATED)],
        columns=COLUMNS,
        parts=[(part, findings) for part, findings in parts if findings],
        worse=sum(flip.amount < 0 for flip in judgement.flips),
    )
