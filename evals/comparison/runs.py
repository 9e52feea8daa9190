"""A run as it lies on disk: what its quality notebook measured, and what was answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from evals.measures.summary import Rows, read_rows
from rag_core.errors import InvalidInput

SUMMARY = "summary.json"
_MANIFEST = "manifest.json"
QUALITY = "01_quality"


@dataclass(frozen=True, kw_only=True)
class Run:
    """The scores of a run, by measure and question, with what it was of."""

    name: str
    golden_digest: str
    rows: Rows
    measures: Mapping[str, Mapping[str, str]]
    """Of each measure: `about`, `better` (higher or lower) and `unit` (empty for a share)."""
    answers: Mapping[str, Mapping[str, str]]
    """Of each question: `question`, `text`, `provenance` and `group`; older runs have none."""
    problem: str = ""
    """Why the notebook failed, though it left a result."""
    facts: Mapping[str, str] = field(default_factory=dict)
    configured: Mapping[str, str] = field(default_factory=dict)
    """Settings, models and prompt, by name; empty where no manifest lies beside it."""


def read_run(path: Path) -> Run:
    """The run in a folder under reports/, or of a summary.json.

    Raises:
        InvalidInput: there is no such run, or it has no result of the quality notebook.
    """
    file = path / SUMMARY if path.is_dir() else path
    summary = _json(file)
    try:
        result = summary["notebooks"][QUALITY]["result"]
    except (KeyError, TypeError) as error:
        raise InvalidInput(
            str(file), f"holds no result of {QUALITY}", "Compare runs that ran that notebook"
        ) from error
    if result is None:
        problem = summary["notebooks"][QUALITY].get("problem", "")
        raise InvalidInput(str(file), f"its {QUALITY} failed: {problem}", "Compare another run")
    return replace(
        _of_result(result, file), problem=summary["notebooks"][QUALITY].get("problem", "")
    )


def previous_run(reports: Path, run: Path) -> Path | None:
    """The run in `reports` before `run` on the same golden data, by the folders' names."""
    digest = read_run(run).golden_digest
    for folder in sorted((each.parent for each in reports.glob(f"*/{SUMMARY}")), reverse=True):
        if folder.name < run.name and _digest(folder) == digest:
            return folder
    return None


def _digest(folder: Path) -> str | None:
    try:
        return read_run(folder).golden_digest
    except InvalidInput:  # of another kind, or cut short
        return None


def _of_result(result: Mapping[str, Any], file: Path) -> Run:
    try:
        summary = result["data"]["summary"]
        return Run(
            name=file.parent.name or str(file),
            golden_digest=result["facts"]["golden data digest"],
            rows=read_rows(summary),
            measures=summary["measures"],
            answers=result["data"].get("answers", {}),
            facts=result["facts"],
            configured=_configured(file.parent / _MANIFEST),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(
            str(file), f"is no summary of a run: {error} is missing", "Give a folder of reports/"
        ) from error


def _configured(manifest: Path) -> dict[str, str]:
    """What a run was made with; `home` is where it lay, and decides nothing."""
    if not manifest.is_file():
        return {}
    told = _json(manifest)
    named = {**told.get("models", {}), **told.get("settings", {})}
    return {name: str(value) for name, value in named.items() if name != "home"}


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(
            str(file), f"cannot be read: {error.strerror}", "Give a folder of reports/"
        ) from error
    except ValueError as error:
        raise InvalidInput(str(file), f"is no JSON: {error}") from error
