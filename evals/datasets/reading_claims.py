"""Claims that the reader of the light check is taught by; nothing else is fitted to them."""

from __future__ import annotations

from pathlib import Path

import msgspec

from evals.datasets.golden import Claim
from rag_core.adapters.documents import RowReader

READING = "reading/claims.jsonl"


class _Row(msgspec.Struct):
    id: str
    group: str
    passage: str
    evidence: str
    claim: str
    supported: bool
    kind: str


_ROWS = RowReader(_Row)


def reading_claims(folder: Path) -> list[Claim]:
    """The claims of a golden folder that teach the reader, all of split dev.

    Raises:
        InvalidInput: the file is missing, or a row cannot be read.
    """
    return [
        Claim(
            id=row.id,
            group=row.group,
            source=row.passage,
            evidence=row.evidence,
            claim=row.claim,
            supported=row.supported,
            kind=row.kind,
            split="dev",
        )
        for _, row in _ROWS.read(folder / READING)
    ]
