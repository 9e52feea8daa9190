"""Hashes of questions: written beside golden ones so that an edit shows, and kept with a run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from evals.datasets.beir import Collection
from evals.datasets.golden import GoldenSet, read_folder
from evals.datasets.golden_rows import HASH_CHARACTERS


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


def question_hashes(golden: GoldenSet) -> dict[str, str]:
    """By question: what two runs must share to have asked it alike, its user's notes included."""
    notes = {user: _digest(*sorted(file.bodies.items())) for user, file in golden.notes.items()}
    return {
        row.id: _digest(
            row.content_hash, row.scenario, row.reference, row.alternatives, notes.get(row.user, "")
        )
        for row in golden.questions
    }


def query_hashes(collection: Collection) -> dict[str, str]:
    """By query: likewise, with what is judged of it and all documents."""
    documents = _digest(*((d.id, d.title, d.text) for d in collection.docs.values()))
    judged: Mapping[str, Mapping[str, int]] = collection.qrels
    return {
        query: _digest(text, sorted(judged.get(query, {}).items()), documents)
        for query, text in collection.queries.items()
    }


def _digest(*parts: object) -> str:
    text = json.dumps(parts, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_CHARACTERS]
