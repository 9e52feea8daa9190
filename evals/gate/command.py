"""`python -m evals gate`: compare two folders, write what was found, say one verdict."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from evals.gate.baseline import write_baseline
from evals.gate.finding import Judgement, Status
from evals.gate.junit import junit
from evals.gate.page import page
from evals.gate.policy import POLICY, read_policy
from evals.gate.runs import read_recording
from evals.gate.summary import markdown
from evals.gate.verdict import judge_folders
from evals.gate.wording import COLUMNS, cells, line
from evals.project import GOLDEN
from evals.results.table import text_table
from rag_core.errors import InvalidInput

COMMITTED = GOLDEN / "baseline"
PARTS = ("speed", "cost")
"""What may be left out."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What was asked for on the command line."""

    baseline: Path
    candidate: Path
    policy: Path = POLICY
    out: Path | None = None
    without: Collection[str] = ()
    seed: int = 0


def run_gate(asked: Asked) -> int:
    """Judge the candidate, write the page, the summary and the JUnit file; the exit code.

    Raises:
        InvalidInput: a folder or the policy is not there, or a part is unknown.
    """
    for part in asked.without:
        if part not in PARTS:
            raise InvalidInput("--without", f"there is no part {part!r}", f"{', '.join(PARTS)}")
    policy = read_policy(asked.policy)
    judgement = judge_folders(
        asked.baseline, asked.candidate, policy, without=asked.without, seed=asked.seed
    )
    written = write(judgement, asked.out or asked.candidate)
    print(terminal(judgement))
    print(f"\n{line(judgement)}\nopen {written}")
    return judgement.exit_code


def update_baseline(asked: Asked) -> int:
    """Write the candidate as the baseline; returns the exit code 0.

    Raises:
        InvalidInput: the candidate cannot be a baseline.
    """
    policy = read_policy(asked.policy)
    candidate = read_recording(asked.candidate)
    path = write_baseline(candidate, asked.candidate, asked.baseline, policy)
    print(f"wrote {path}, {path.stat().st_size:,} bytes: review the change, then commit it")
    return 0


def write(judgement: Judgement, folder: Path) -> Path:
    """Write `gate.html`, `gate.md` and `gate.xml` into a folder; returns the page.

    Raises:
        InvalidInput: the folder cannot be written to.
    """
    texts = {"md": markdown(judgement), "xml": junit(judgement), "html": page(judgement)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for kind, text in texts.items():
            (folder / f"gate.{kind}").write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidInput("--out", f"{folder} cannot be written: {error.strerror}") from error
    return folder / "gate.html"


def terminal(judgement: Judgement) -> str:
    """Every figure, and below them what did not pass."""
    rows = [cells(found) for found in judgement.findings]
    said = [
        f"{found.status} {found.name}: {found.sentence}"
        for found in judgement.findings
        if found.status is not Status.PASS
    ]
    return "\n".join([text_table(COLUMNS, rows), "", *said])
