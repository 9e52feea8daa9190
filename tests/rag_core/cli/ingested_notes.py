"""Two notes as a file, and notes stored as `ingest` stores them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rag_core.adapters.postgres import PostgresNotes, open_database
from rag_core.domain import Chunker, Embedder, Note, UserId
from rag_core.ingest import Ingest

NOTES: list[dict[str, Any]] = [
    {
        "id": "grace",
        "title": "On grace",
        "date": "2026-05-03",
        "verses": [["Eph", 2, 8, 9], ["Eph", 2, 10, 10]],
        "body": "Paul calls grace a gift that nobody can earn. He was once called Saul.",
    },
    {"id": "storm", "title": "The storm", "body": "Jesus slept in the boat during the storm."},
]


def written(folder: Path, notes: Sequence[object] = NOTES) -> Path:
    """A file of notes in a folder."""
    path = folder / "notes.jsonl"
    path.write_text("\n".join(map(json.dumps, notes)), encoding="utf-8")
    return path


async def store(
    url: str, user: UserId, embedder: Embedder, chunker: Chunker, notes: list[Note]
) -> None:
    async with open_database(url) as database:
        ingest = Ingest(store=PostgresNotes(database), embedder=embedder, chunker=chunker)
        await ingest.run(user, notes)
