"""Writing the hashes of golden questions, so that a later edit shows."""

from __future__ import annotations

import json
from pathlib import Path

from evals.datasets.golden import read_folder


def write_hashes(folder: Path) -> int:
    """Write each question's `hash` into questions.jsonl; the number of those that changed.

    Raises:
        InvalidInput: there are no notes at all.
    """
    read = read_folder(folder)
    hashes = {row.id: row.content_hash for row in read.rows}
    path = folder / "questions.jsonl"
    lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    rows = [json.loads(line) for line in lines]
    changed = [row["id"] for row in rows if row.get("hash") != hashes[row["id"]]]
    hashed = (row | {"hash": hashes[row["id"]]} for row in rows)
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in hashed)
    path.write_text(text, encoding="utf-8", newline="\n")
    return len(changed)
