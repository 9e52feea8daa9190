"""The builder makes the same notes of the same passages, and the committed ones are its work."""

from __future__ import annotations

import json
import shutil
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from evals.datasets.golden import GoldenSet, load
from evals.datasets.golden_build import COLLECTIONS, TOPICS, USER_OF_BOOK, build, tags_of
from rag_core.errors import InvalidInput

GOLDEN = Path(__file__).parents[3] / "golden"
BUILT = set(USER_OF_BOOK.values())

SAMPLE = [
    ("mhcc-Gen.1.1-2", "God creates", "Genesis 1:1-2", ["Gen", 1, 1, 2], "God made heaven. Pray."),
    ("mhcc-Gen.1.3-5", "", "Genesis 1:3-5", ["Gen", 1, 3, 5], "Light: “good”. Sin, sinners."),
    ("mhcc-Gen.2.1-3", "", "Genesis 2:1-3", ["Gen", 2, 1, 3], "They rested."),
    ("mhcc-Rom.1.1-7", "A call", "Romans 1:1-7", ["Rom", 1, 1, 7], "Faith, and again faith."),
]


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8")


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def files_under(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def source_row(id: str, title: str, ref: str, verses: list[Any], text: str) -> dict[str, Any]:
    author = "Matthew Henry"
    fields = {"id": id, "author": author, "title": title, "ref": ref}
    return {**fields, "verses": [verses], "text": text}


def write_beir(folder: Path) -> None:
    for name in COLLECTIONS:
        write_rows(folder / name / "corpus.jsonl", [{"_id": "d", "title": "", "text": "t"}])
        write_rows(folder / name / "queries.jsonl", [{"_id": "q", "text": "t"}])
        (folder / name / "qrels").mkdir()
        (folder / name / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\td\t1\n")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    attack = {"id": "a", "source": "s", "licence": "MIT", "category": "c", "text": "Obey me."}
    write_rows(tmp_path / "in" / "attacks.jsonl", [attack])
    write_rows(tmp_path / "in" / "henry.passages.jsonl", [source_row(*row) for row in SAMPLE])
    write_beir(tmp_path / "beir")
    return tmp_path / "in"


@pytest.fixture
def built(tmp_path: Path, source: Path) -> Path:
    out = tmp_path / "golden"
    build(source, tmp_path / "beir", out)
    return out


@pytest.fixture(scope="module")
def golden() -> GoldenSet:
    return load(GOLDEN)


def test_building_twice_gives_the_same_bytes(tmp_path: Path, source: Path) -> None:
    build(source, tmp_path / "beir", tmp_path / "one")
    build(source, tmp_path / "beir", tmp_path / "two")
    build(source, tmp_path / "beir", tmp_path / "two")  # over itself too
    assert files_under(tmp_path / "one") == files_under(tmp_path / "two")


def test_a_chapter_becomes_one_note_with_its_passages_as_sections(built: Path) -> None:
    first, second = read(built / "notes" / "golden-law.jsonl")
    assert first == {
        "id": "Gen.1",
        "title": "Genesis 1: God creates",
        "body": (
            "## Genesis 1:1-2 · God creates\n\nGod made heaven. Pray.\n\n"
            "## Genesis 1:3-5\n\nLight: “good”. Sin, sinners."
        ),
        "author": "Matthew Henry",
        "date": "2020-01-05",
        "tags": ["sin", "heaven", "prayer"],
        "verses": [["Gen", 1, 1, 2], ["Gen", 1, 3, 5]],
    }
    assert (second["title"], second["date"]) == ("Genesis 2", "2020-01-12")


def test_each_passage_is_found_verbatim_at_its_place(built: Path) -> None:
    found = {}
    for place in read(built / "passages.jsonl"):
        notes = {note["id"]: note for note in read(built / "notes" / f"{place['user']}.jsonl")}
        found[place["id"]] = notes[place["note"]]["body"][place["start"] : place["end"]]
    assert found == {row[0]: row[4] for row in SAMPLE}


def test_each_user_gets_the_books_of_one_part_of_the_bible(built: Path) -> None:
    assert {place["id"]: place["user"] for place in read(built / "passages.jsonl")} == {
        "mhcc-Gen.1.1-2": "golden-law",
        "mhcc-Gen.1.3-5": "golden-law",
        "mhcc-Gen.2.1-3": "golden-law",
        "mhcc-Rom.1.1-7": "golden-letters",
    }
    assert len(USER_OF_BOOK) == 66
    assert len(set(USER_OF_BOOK.values())) == 6


def test_attacks_and_collections_are_copied_unchanged(built: Path, source: Path) -> None:
    assert (built / "attacks.jsonl").read_bytes() == (source / "attacks.jsonl").read_bytes()
    assert files_under(built / "beir") == files_under(source.parent / "beir")


def test_tags_are_the_topics_spoken_of_most_and_never_more_than_five() -> None:
    assert tags_of("Pray. Prayer! Love is patient; forgive, hope, obey, repent.") == [
        "prayer",
        "forgiveness",
        "hope",
        "love",
        "obedience",
    ]
    assert tags_of("Since spiritual lawns warm lovely sinks.") == ["scripture"]


def test_an_unknown_book_is_refused_by_name(tmp_path: Path, source: Path) -> None:
    row = source_row("mhcc-Enoch.1.1", "", "Enoch 1:1", ["Enoch", 1, 1, 1], "Text.")
    write_rows(source / "henry.passages.jsonl", [row])
    with pytest.raises(InvalidInput, match=r"mhcc-Enoch\.1\.1: verses: unknown book 'Enoch'"):
        build(source, tmp_path / "beir", tmp_path / "out")


@pytest.mark.parametrize(
    "verses", [[], "Gen", [["Gen", 1, 1]], [["Gen", "1", 1, 2]], [[1, 1, 1, 1]]]
)
def test_malformed_verses_are_refused_by_line_and_field(
    tmp_path: Path, source: Path, verses: object
) -> None:
    rows = [source_row(*row) for row in SAMPLE]
    rows[1]["verses"] = verses
    write_rows(source / "henry.passages.jsonl", rows)
    with pytest.raises(InvalidInput, match=r"passages\.jsonl line 2, field verses.*: Expected"):
        build(source, tmp_path / "beir", tmp_path / "out")


@pytest.mark.parametrize(
    ("given", "missing"),
    [("absent", "absent/henry.passages.jsonl"), ("in", "absent/henry-headings/corpus.jsonl")],
)
def test_a_file_that_is_not_there_is_named(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch, given: str, missing: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInput, match=f"{missing}: "):
        build(Path(given), Path("absent"), Path("out"))


def test_the_committed_notes_are_what_the_builder_makes_of_their_own_passages(
    golden: GoldenSet, tmp_path: Path
) -> None:
    """Taking the notes apart into source passages and building again gives the same bytes."""
    verses = {
        user: iter([v for note in read(golden.notes[user].path) for v in note["verses"]])
        for user in BUILT
    }
    rows = [
        source_row(p.id, p.title, p.ref, next(verses[p.user]), golden.text(p.id))
        for p in golden.passages.values()
        if p.user in BUILT
    ]
    write_rows(tmp_path / "in" / "henry.passages.jsonl", rows)
    attacks = read(GOLDEN / "attacks.jsonl")
    copied = [row for row in attacks if row["source"] != "written for this project"]
    write_rows(tmp_path / "in" / "attacks.jsonl", copied)
    shutil.copytree(GOLDEN, tmp_path / "out")
    for user in BUILT:
        (tmp_path / "out" / "notes" / f"{user}.jsonl").unlink()
    build(tmp_path / "in", GOLDEN / "beir", tmp_path / "out")
    assert files_under(tmp_path / "out") == files_under(GOLDEN)


def test_the_committed_notes_are_dated_on_consecutive_sundays(golden: GoldenSet) -> None:
    for user in BUILT:
        notes = golden.notes[user]
        dates = [date.fromisoformat(note["date"]) for note in read(notes.path)]
        assert dates[0].isoweekday() == 7
        assert {(later - earlier).days for earlier, later in pairwise(dates)} == {7}


def test_every_committed_note_has_one_to_five_known_tags(golden: GoldenSet) -> None:
    for user in BUILT:
        for note in read(golden.notes[user].path):
            assert 1 <= len(note["tags"]) <= 5, note["id"]
            assert set(note["tags"]) <= {*TOPICS, "scripture"}, note["id"]
