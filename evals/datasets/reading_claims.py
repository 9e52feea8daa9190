"""Claims that the reader of the light check is taught by; nothing else is fitted to them."""

from __future__ import annotations

from pathlib import Path

from evals.datasets.golden import Claim
from rag_core.adapters.documents import RowReader

READING = "reading/claims.jsonl"

_ROWS = RowReader(Claim)


def reading_claims(folder: Path) -> list[Claim]:
    """The claims of a golden folder that teach the reader, all of split dev.

    Raises:
        InvalidInput: the file is missing, or a row cannot be read.
    """
    return [claim for _, claim in _ROWS.read(folder / READING)]
