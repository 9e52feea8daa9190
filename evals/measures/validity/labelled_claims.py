"""Labelled claims: claims with a source, of which it is known whether the source supports them.

A file has a row of JSON a line, in our columns or in those of LLM-AggreFact (Tang, Laban and
Durrett, 2024), where `label` is 1 for supported and `dataset` takes the place of `kind`.

    {"claim": "…", "evidence": "…", "supported": true, "kind": "paraphrase", "group": "g1"}
    {"claim": "…", "doc": "…", "label": 1, "dataset": "RAGTruth"}
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from evals.datasets.golden import Claim
from rag_core.adapters.documents import RowReader
from rag_core.errors import InvalidInput

Text = Annotated[str, msgspec.Meta(min_length=1)]


@dataclass(frozen=True, slots=True)
class LabelledClaim:
    """A claim, its source, and whether the source supports it; those of a `group` hang together."""

    claim: str
    source: str
    supported: bool
    kind: str
    group: str


class _Row(msgspec.Struct):
    claim: Text
    evidence: Text | None = None
    source: Text | None = None
    doc: Text | None = None
    supported: bool | None = None
    label: Literal[0, 1] | None = None
    kind: str = ""
    dataset: str = ""
    group: str = ""


_ROWS = RowReader(
    _Row,
    fixes={"claim": "Give the statement to check", "label": "Use 1 for supported, 0 for not"}
    | {"supported": "Use true or false"}
    | dict.fromkeys(("evidence", "source", "doc"), "Give the text that supports the claim or not"),
)


def read_claims(path: Path) -> list[LabelledClaim]:
    """The claims in a file; without a group, those on one source are a group.

    Raises:
        InvalidInput: a bad row, named by file, line and field; or no right, or no wrong one.
    """
    rows = [_labelled(row, where) for where, row in _ROWS.read(path)]
    for verdict, name in ((True, "right"), (False, "wrong")):
        if not any(row.supported is verdict for row in rows):
            raise InvalidInput(str(path), f"has no {name} claim", "Telling takes both kinds")
    return rows


def golden_claims(claims: Iterable[Claim], split: str) -> list[LabelledClaim]:
    """The golden claims of a split, each with its evidence as the source."""
    return [
        LabelledClaim(each.claim, each.evidence, each.supported, each.kind, each.group)
        for each in claims
        if each.split == split
    ]


def _labelled(row: _Row, where: str) -> LabelledClaim:
    source = row.evidence or row.source or row.doc
    supported = row.supported if row.supported is not None else row.label
    if source is None:
        raise InvalidInput(f"{where}, field evidence", "is missing", "Give it, or `doc`")
    if supported is None:
        raise InvalidInput(f"{where}, field supported", "is missing", "Give it, or `label`")
    group = row.group or hashlib.sha256(source.encode()).hexdigest()
    return LabelledClaim(row.claim, source, bool(supported), row.kind or row.dataset, group)
