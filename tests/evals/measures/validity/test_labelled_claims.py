"""Labelled claims are read in both formats, and a bad row is named by file, line and field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evals.measures.validity.labelled_claims import LabelledClaim, read_claims
from rag_core.errors import InvalidInput

RIGHT = {"claim": "It rains.", "evidence": "Rain falls.", "supported": True}
WRONG = {"claim": "It snows.", "evidence": "Rain falls.", "supported": False}


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def test_our_columns(tmp_path: Path) -> None:
    first = {**RIGHT, "kind": "paraphrase", "group": "g1"}
    rows = read_claims(write(tmp_path / "c.jsonl", first, WRONG))
    assert rows[0] == LabelledClaim("It rains.", "Rain falls.", True, "paraphrase", "g1")
    assert not rows[1].supported


def test_the_evidence_is_the_text_where_source_is_an_id(tmp_path: Path) -> None:
    rows = read_claims(write(tmp_path / "c.jsonl", {**RIGHT, "source": "note-1"}, WRONG))
    assert rows[0].source == "Rain falls."


def test_the_columns_of_llm_aggrefact(tmp_path: Path) -> None:
    other = {"dataset": "Lfqa", "doc": "Rain falls.", "claim": "It rains.", "label": 1}
    rows = read_claims(write(tmp_path / "c.jsonl", other, {**other, "label": 0}))
    assert [row.supported for row in rows] == [True, False]
    assert (rows[0].source, rows[0].kind) == ("Rain falls.", "Lfqa")


def test_claims_on_one_source_hang_together(tmp_path: Path) -> None:
    elsewhere = {**WRONG, "evidence": "The sun shines."}
    first, second, third = read_claims(write(tmp_path / "c.jsonl", RIGHT, WRONG, elsewhere))
    assert first.group == second.group != third.group


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({**RIGHT, "claim": ""}, "claim"),
        ({"evidence": "x", "supported": True}, "claim"),
        ({**RIGHT, "supported": "yes"}, "supported"),
        ({"claim": "x", "doc": "y", "label": 2}, "label"),
        ({"claim": "x", "supported": True}, "evidence"),
        ({"claim": "x", "evidence": "y"}, "supported"),
    ],
)
def test_a_bad_row_is_named_with_its_fix(tmp_path: Path, row: Any, field: str) -> None:
    path = write(tmp_path / "c.jsonl", RIGHT, row)
    with pytest.raises(InvalidInput) as caught:
        read_claims(path)
    assert caught.value.fix
    assert str(caught.value).startswith(f"{path} line 2, field {field}")


@pytest.mark.parametrize(("row", "lacking"), [(RIGHT, "wrong"), (WRONG, "right")])
def test_a_file_of_one_sort_is_refused(tmp_path: Path, row: Any, lacking: str) -> None:
    with pytest.raises(InvalidInput, match=f"has no {lacking} claim"):
        read_claims(write(tmp_path / "c.jsonl", row))
