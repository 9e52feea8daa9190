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


def _rows(name: str) -> Iterator[dict[str, Any]]:
    for line in (GOLDEN / name).read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def _write(path: Path, rows: Any) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
