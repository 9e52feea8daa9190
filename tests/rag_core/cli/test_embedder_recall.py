"""`re-embed --to`: what both embedders find is shown before the switch, on the notes stored."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from rag_core.adapters.embedders import write_manifest
from rag_core.domain import UserId
from tests.rag_core.cli.commands import Ran, Run

TOPICS = (
    ("grace", "Unearned favour", "Salvation is a gift; nobody can buy it.", "Can I earn heaven?"),
    ("storm", "Asleep in the boat", "Waves broke over the bow.", "When was the sea calmed?"),
    ("sheep", "The shepherd", "Ninety-nine stayed on the hills.", "Who looked for the lost lamb?"),
    ("wine", "A wedding at Cana", "Six stone jars were filled.", "What became of the water?"),
    ("tower", "Babel", "Bricks and bitumen; then tongues.", "Why do we speak many languages?"),
    ("flood", "The ark", "Rain fell for forty days.", "How did Noah's family survive?"),
    ("harp", "David plays", "Music calmed the king.", "Who soothed Saul with songs?"),
    ("fire", "Carmel", "Baal's prophets danced in vain.", "How did Elijah win the contest?"),
    ("wall", "Jericho", "Trumpets, and seven times around.", "Which city fell to a shout?"),
    ("fish", "Jonah", "Three days in the deep.", "Who fled from Nineveh?"),
    (
        "lions",
        "Daniel in the den",
        "Their mouths were shut.",
        "Who prayed and was thrown to beasts?",
    ),
    ("bread", "Manna", "Every morning on the ground.", "What did they eat in the desert?"),
)


@pytest.fixture
def notes(
    run: Run, own_database: str, user: UserId, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> UserId:
    """Who has a note on each topic, one of them without a title, alone in a database."""
    monkeypatch.setenv("RAG_DATABASE_URL", own_database)
    file = tmp_path / "talks.jsonl"
    rows = [{"id": name, "title": title, "body": body} for name, title, body, _ in TOPICS]
    rows[0]["title"] = ""
    file.write_text("\n".join(map(json.dumps, rows)))
    assert run("ingest", file, "--user", user).exit_code == 0
    return user


@pytest.fixture
def worse_model(exported_model: Path, tmp_path: Path) -> Path:
    """The same weights behind a tokenizer that knows no word: it finds by length at best."""
    folder = tmp_path / "worse"
    folder.mkdir()
    for file in exported_model.iterdir():
        if file.name not in ("export.json", "tokenizer.json"):
            (folder / file.name).symlink_to(file)
    tokenizer = json.loads((exported_model / "tokenizer.json").read_text())
    vocabulary = tokenizer["model"]["vocab"]
    tokenizer["model"]["vocab"] = {
        word: number for word, number in vocabulary.items() if word.startswith("[")
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    write_manifest(folder, weights_sha256="1" * 64)
    return folder


def asked(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def found(ran: Ran) -> tuple[int, int, int]:
    """How many the old found, the new, and of how many."""
    assert ran.exit_code == 0, ran.err
    old, new = (
        re.search(rf"{side} .*?, (\d+) of (\d+)$", ran.out, re.M) for side in ("old", "new")
    )
    assert old
    assert new
    assert old[2] == new[2]
    return int(old[1]), int(new[1]), int(old[2])


def test_a_worse_model_is_seen_to_find_less_by_the_operators_questions(
    run: Run, notes: UserId, worse_model: Path, tmp_path: Path
) -> None:
    rows = [{"question": text, "user": notes, "gold": [name]} for name, _, _, text in TOPICS]
    rows += [{"question": "Who knows?", "user": notes, "gold": []}]
    rows += [{"question": "And this?", "user": notes, "gold": ["deleted-note"]}]
    ran = run("re-embed", "--to", worse_model, "--questions", asked(tmp_path / "q.jsonl", rows))
    old, new, n = found(ran)
    assert n == len(TOPICS)
    assert new < old
    alone = re.search(r"the new alone found (\d+), the old alone (\d+)", ran.out)
    assert alone
    assert int(alone[2]) - int(alone[1]) == old - new
    assert re.search(r"new - old +-\d+\.\d points \(-", ran.out)
    assert "1 without gold" in ran.out
    assert "1 whose notes are not stored" in ran.out
    for secret in (notes, *(text for *_, text in TOPICS)):
        assert secret not in ran.out + ran.err


def test_without_questions_notes_are_asked_for_by_title_which_is_said_to_be_easier(
    run: Run, notes: UserId, worse_model: Path
) -> None:
    ran = run("re-embed", "--to", worse_model)
    old, new, n = found(ran)
    assert (old, n) == (len(TOPICS), len(TOPICS))
    assert new < old
    assert "12 known items, seed 0: 11 notes asked for by their title, 1 by" in ran.out
    assert "--questions" in ran.out


def test_the_same_model_under_another_name_finds_the_same_by_golden_questions(
    run: Run, notes: UserId, worse_model: Path, exported_model: Path, tmp_path: Path
) -> None:
    (worse_model / "tokenizer.json").unlink()
    (worse_model / "tokenizer.json").symlink_to(exported_model / "tokenizer.json")
    write_manifest(worse_model, weights_sha256="2" * 64)
    asked(tmp_path / "passages.jsonl", [{"id": "p1", "user": notes, "note": "storm", "start": 0}])
    golden = {"id": "q01", "split": "dev", "user": notes, "question": "When was the sea calmed?"}
    rows = [
        golden | {"gold": ["p1"]},
        golden | {"id": "q02", "gold": [f"{notes}/storm#The sea"]},
        golden | {"id": "q03", "gold": ["grace", "storm"]},
    ]
    ran = run("re-embed", "--to", worse_model, "--questions", asked(tmp_path / "q.jsonl", rows))
    assert found(ran) == (3, 3, 3)
    assert "the new alone found 0, the old alone 0, both 3, neither 0" in ran.out


def test_questions_that_cannot_be_used_are_refused_before_anything_is_embedded(
    run: Run, notes: UserId, worse_model: Path, tmp_path: Path
) -> None:
    row = {"question": "What is grace?", "user": notes, "gold": ["grace"]}
    for rows, named in (
        ([row | {"gold": ["nowhere"]}], "--questions: "),
        ([row, {"user": notes}], "line 2"),
        ([row | {"user": "no user"}], "line 1, field user"),
        ([row | {"question": "\u200b"}], "line 1, field question"),
    ):
        file = asked(tmp_path / "q.jsonl", rows)
        ran = run("re-embed", "--to", worse_model, "--questions", file)
        assert ran.exit_code == 2
        assert named in ran.err.splitlines()[-1]
    assert run("re-embed", "--questions", file).exit_code == 2
    assert len(run("re-embed").out.splitlines()) == 2
