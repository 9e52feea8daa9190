"""A few of the golden questions with the notes that they need, small enough to ask in a test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evals.project import GOLDEN


def write_sample(folder: Path) -> Path:
    """A golden folder of the first question of each scenario; returns `folder`."""
    # The twins stay behind: a question that needs one is its own.
    rows = [row | {"twin": row.get("twin") and row["id"]} for row in _rows("questions.jsonl")]
    first = {row["scenario"]: row for row in reversed(rows)}
    wanted = {p for row in first.values() for p in (*row["gold"], *row.get("foreign_gold", ()))}
    passages = [row for row in _rows("passages.jsonl") if row["id"] in wanted]
    attacks = {row.get("attack") for row in first.values()}
    needed = {(row["user"], row["note"]) for row in passages}
    (folder / "notes").mkdir(parents=True)
    _write(folder / "questions.jsonl", first.values())
    _write(folder / "passages.jsonl", passages)
    _write(folder / "attacks.jsonl", (r for r in _rows("attacks.jsonl") if r["id"] in attacks))
    for user in {row["user"] for row in (*first.values(), *passages)}:
        name = f"notes/{user}.jsonl"
        notes = list(_rows(name))
        kept = [note for note in notes if (user, note["id"]) in needed] or notes[:1]
        _write(folder / name, kept)
    return folder


def add_planted(folder: Path, questions: int) -> None:
    """Add some questions with planted answers to a sample, their notes, and a few test claims."""
    planted = list(_rows("planted.jsonl"))
    wanted = sorted({row["question"] for row in planted})[:questions]
    added = [row | {"twin": None} for row in _rows("questions.jsonl") if row["id"] in wanted]
    claims = [row for row in _rows("claims.jsonl") if row["split"] == "test"][:30]
    shown = {passage for row in added for passage in row["gold"]} | {c["source"] for c in claims}
    passages = [row for row in _rows("passages.jsonl") if row["id"] in shown]
    _append(folder / "questions.jsonl", added)
    _append(folder / "passages.jsonl", passages)
    _write(folder / "planted.jsonl", (row for row in planted if row["question"] in wanted))
    for user in {row["user"] for row in passages}:
        needed = {row["note"] for row in passages if row["user"] == user}
        notes = [note for note in _rows(f"notes/{user}.jsonl") if note["id"] in needed]
        _append(folder / f"notes/{user}.jsonl", notes)
    _write(folder / "claims.jsonl", claims)


def _rows(name: str) -> Iterator[dict[str, Any]]:
    for line in (GOLDEN / name).read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def _append(path: Path, rows: Any) -> None:
    """Add rows to a file that may be there, but those whose ids it has."""
    before = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    by_id = {row["id"]: row for row in (*map(json.loads, before), *rows)}
    _write(path, by_id.values())


def _write(path: Path, rows: Any) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
