"""Test collections in BEIR's layout: corpus.jsonl, queries.jsonl and qrels/test.tsv."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec

from rag_core.adapters.documents import RowReader
from rag_core.errors import InvalidInput

QRELS_COLUMNS = ("query-id", "corpus-id", "score")

_LAYOUT = "A collection holds corpus.jsonl, queries.jsonl and qrels/test.tsv"


class Document(msgspec.Struct, frozen=True):
    """A document of the corpus; it has a title or a text, or both."""

    id: str = msgspec.field(name="_id")
    text: str
    title: str = ""

    def __post_init__(self) -> None:
        if not (self.title or self.text).strip():
            raise ValueError("text must not be empty in a document without a title")


class _Query(msgspec.Struct):
    id: str = msgspec.field(name="_id")
    text: Annotated[str, msgspec.Meta(min_length=1)]


@dataclass(frozen=True)
class Collection:
    """Documents by id, judged queries by id, and their judgements.

    Queries without a judgement are left out, so that every query here is asked and scored.
    """

    name: str
    docs: Mapping[str, Document]
    queries: Mapping[str, str]
    qrels: Mapping[str, Mapping[str, int]]


def read_collection(folder: Path) -> Collection:
    """Read the collection in `folder`.

    Raises:
        InvalidInput: a file is missing, or a line of it is malformed, repeats an id, or judges
            a query or document that does not exist; names file, line and field.
    """
    for part in ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv"):
        if not (folder / part).is_file():
            raise InvalidInput(str(folder / part), "no such file", _LAYOUT)
    docs = _by_id(folder / "corpus.jsonl", Document)
    queries = {q.id: q.text for q in _by_id(folder / "queries.jsonl", _Query).values()}
    qrels = _qrels(folder / "qrels" / "test.tsv", queries, docs)
    judged = {query: text for query, text in queries.items() if query in qrels}
    return Collection(folder.resolve().name, docs, judged, qrels)


Row = TypeVar("Row", Document, _Query)


def _by_id(path: Path, row_type: type[Row]) -> dict[str, Row]:
    rows = {row.id: row for _, row in RowReader(row_type).read(path)}
    if not rows:
        raise InvalidInput(str(path), "is empty", _LAYOUT)
    return rows


def _qrels(
    path: Path, queries: Mapping[str, str], docs: Mapping[str, Document]
) -> dict[str, dict[str, int]]:
    qrels: dict[str, dict[str, int]] = {}
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    if tuple(lines[0].rstrip("\r").split("\t")) != QRELS_COLUMNS:
        raise InvalidInput(
            f"{path} line 1", f"must be the header {' '.join(QRELS_COLUMNS)}, tabs between"
        )
    for number, line in enumerate(lines[1:], start=2):
        if line.strip():
            query, document, judgement = _judgement(f"{path} line {number}", line)
            _exists(f"{path} line {number}, field query-id", query, queries)
            _exists(f"{path} line {number}, field corpus-id", document, docs)
            judged = qrels.setdefault(query, {})
            if judged.setdefault(document, judgement) != judgement:
                raise InvalidInput(f"{path} line {number}", f"judges {document} a second time")
    if not qrels:
        raise InvalidInput(str(path), "holds no judgements", _LAYOUT)
    return qrels


def _judgement(place: str, line: str) -> tuple[str, str, int]:
    fields = line.split("\t")
    if len(fields) != len(QRELS_COLUMNS):
        raise InvalidInput(place, f"must have 3 fields with tabs between, has {len(fields)}")
    query, document, judgement = fields
    try:
        return query, document, int(judgement)
    except ValueError as error:
        raise InvalidInput(
            f"{place}, field score", f"must be a whole number, got {judgement!r}"
        ) from error


def _exists(field: str, identity: str, known: Mapping[str, object]) -> None:
    if identity not in known:
        raise InvalidInput(field, f"there is no {identity!r}")
