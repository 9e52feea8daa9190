"""Golden notes are edited through the real ingest, and what answers rest on is asked again."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from evals.cache.edit_trial import KnownVectors, edit_trial
from evals.cache.edited_notes import Edit, Editor
from evals.cache.edits import EditOutcome, EditStudy
from evals.datasets.corpus import ingest_golden
from evals.datasets.golden import load
from evals.project import project_settings
from evals.simulation.scale import scale
from rag_core.adapters.embedders import HashingEmbedder
from rag_core.bootstrap import assemble
from rag_core.domain import Note
from rag_core.errors import InvalidInput

NOTES = [
    Note("a", "A", "## Head\n\nGrace is a gift. Nobody can buy it. It is free."),
    Note("b", "B", "The storm rose. The boat filled."),
]


def test_an_edit_changes_one_sentence_where_its_kind_says() -> None:
    editor = Editor(NOTES, np.random.default_rng(1))
    note = NOTES[0]
    sources = [(9, note.body.index("Nobody"))]
    bodies = {kind: editor.edited(note, kind, sources) for kind in Edit}
    texts = {kind: edited.body for kind, edited in bodies.items() if edited}
    assert len(texts) == len(Edit)
    assert "Grace is a gift." not in texts[Edit.CITED]
    assert "Grace is a gift." in texts[Edit.ELSEWHERE] != note.body
    assert texts[Edit.APPENDED].startswith(note.body)
    assert len(texts[Edit.DELETED]) < len(note.body)
    assert all("## Head" in text for text in texts.values())
    assert editor.edited(note, Edit.CITED, []) is None
    assert editor.other(["a"]) is NOTES[1]


def outcome(note: str, *, touched: bool, changed: bool, kind: Edit = Edit.CITED) -> EditOutcome:
    return EditOutcome(
        user="u", question="q", note=note, kind=kind, rested_on=2, touched=touched, changed=changed
    )


def test_shares_are_of_touched_and_of_other_notes_each_with_an_interval() -> None:
    study = EditStudy(
        (
            *(outcome(str(n), touched=True, changed=n % 2 == 0) for n in range(40)),
            *(outcome(str(n), touched=False, changed=False) for n in range(50, 70)),
        )
    )
    evidence = study.evidence
    assert evidence.touch.value == 0.5
    assert 0.3 < evidence.touch.low < 0.5 < evidence.touch.high < 0.7
    assert (evidence.enter.value, evidence.enter.low) == (0, 0)
    assert 0.1 < evidence.enter.high < 0.2  # 0 of 20, exact
    assert evidence.notes == 2
    with pytest.raises(InvalidInput, match="edits"):
        EditStudy((outcome("a", touched=True, changed=True),))


async def test_vectors_that_are_known_are_not_made_again() -> None:
    inner = HashingEmbedder()
    texts = ["one", "two", "three"]
    made = await inner.embed(texts)
    known = {
        hashlib.sha256(text.encode()).hexdigest(): vector + 1
        for text, vector in zip(texts[:2], made, strict=False)
    }
    got = await KnownVectors(inner, known).embed(texts)
    np.testing.assert_array_equal(got, [made[0] + 1, made[1] + 1, made[2]])


async def test_golden_notes_are_edited_and_asked_again_in_a_store_of_their_own(
    sample: Path,
) -> None:
    async with assemble(project_settings()) as application:
        await ingest_golden(application, load(sample))
        found = (await edit_trial(scale("full"), sample)).table
        # Nothing is left to write: the golden store has seen no edit.
        assert (await ingest_golden(application, load(sample))).written == 0
    cited = found[(found["kind"] == Edit.CITED) & found["touched"]]
    assert cited["changed"].all()
    assert set(found["kind"]) == set(Edit)
    assert not found[~found["touched"]]["changed"].all()
