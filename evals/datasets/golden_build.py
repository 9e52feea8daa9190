"""Builds the golden notes from Henry's passages, byte for byte the same on every run.

One note per chapter, its passages as Markdown sections, spread over six users by part of the
Bible. What is written by hand stays: questions, claims, the notes and passages of other users, and
attacks that are not in the source.
"""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import msgspec

from evals.datasets.golden import Text
from rag_core.adapters.documents import RowReader
from rag_core.errors import InvalidInput

FIRST_SUNDAY = date(2020, 1, 5)
MAX_TAGS = 5
"""Of a note; chosen, as many as a person would give."""
FALLBACK_TAG = "scripture"
COLLECTIONS = ("henry-headings", "henry-topics")

_LAW = "Gen Exod Lev Num Deut"
_HISTORY = "Josh Judg Ruth 1Sam 2Sam 1Kgs 2Kgs 1Chr 2Chr Ezra Neh Esth"
_WISDOM = "Job Ps Prov Eccl Song"
_PROPHETS = "Isa Jer Lam Ezek Dan Hos Joel Amos Obad Jonah Mic Nah Hab Zeph Hag Zech Mal"
_GOSPELS = "Matt Mark Luke John Acts"
_LETTERS = (
    "Rom 1Cor 2Cor Gal Eph Phil Col 1Thess 2Thess 1Tim 2Tim Titus Phlm "
    "Heb Jas 1Pet 2Pet 1John 2John 3John Jude Rev"
)
USER_OF_BOOK: dict[str, str] = {
    book: user
    for user, books in {
        "golden-law": _LAW,
        "golden-history": _HISTORY,
        "golden-wisdom": _WISDOM,
        "golden-prophets": _PROPHETS,
        "golden-gospels": _GOSPELS,
        "golden-letters": _LETTERS,
    }.items()
    for book in books.split()
}

# Topic -> word stems that speak of it; a stem matches from the start of a word.
TOPICS: dict[str, tuple[str, ...]] = {
    "affliction": ("afflict", "tribulation", "suffering"),
    "angels": ("angel",),
    "anger": ("anger", "angry", "wrath", "passionate"),
    "baptism": ("baptis", "baptiz"),
    "church": ("church",),
    "comfort": ("comfort", "consol"),
    "covenant": ("covenant",),
    "creation": ("creator", "creation", "created"),
    "death": ("death", "dying", "grave"),
    "eternal life": ("eternal", "everlasting"),
    "faith": ("faith", "believ"),
    "family": ("husband", "wife", "wives", "parent", "children"),
    "forgiveness": ("forgiv", "pardon"),
    "generosity": ("almsgiving", "charit", "liberal", "generous"),
    "gospel": ("gospel",),
    "grace": ("grace", "gracious"),
    "heaven": ("heaven",),
    "holiness": ("holy", "holiness", "sanctif"),
    "holy spirit": ("ghost", "spirit"),
    "hope": ("hope",),
    "humility": ("humble", "humility", "meek"),
    "hypocrisy": ("hypocri",),
    "idolatry": ("idol",),
    "joy": ("joy", "rejoic", "cheerful"),
    "judgment": ("judgment", "judgement", "vengeance"),
    "justice": ("justice", "unjust", "oppress"),
    "law": ("law", "laws", "commandment"),
    "love": ("love", "loving", "charity"),
    "mercy": ("merc",),
    "money": ("riches", "wealth", "money", "covetous"),
    "obedience": ("obey", "obedien"),
    "patience": ("patien", "forbear"),
    "peace": ("peace",),
    "prayer": ("pray",),
    "preaching": ("preach", "minister"),
    "pride": ("pride", "proud", "boast"),
    "prophecy": ("prophec", "prophet"),
    "providence": ("providence", "provide"),
    "redemption": ("redeem", "redempt", "ransom", "atone"),
    "repentance": ("repent", "penitent"),
    "resurrection": ("resurrection",),
    "righteousness": ("righteous",),
    "sabbath": ("sabbath",),
    "sacrifice": ("sacrific", "offering"),
    "salvation": ("salvation", "saviour", "saved"),
    "sin": ("sin", "sins", "sinner", "sinful", "wicked"),
    "speech": ("tongue", "slander", "lying"),
    "temptation": ("tempt",),
    "thankfulness": ("thank", "grateful", "gratitude", "praise"),
    "war": ("war", "battle", "enemies", "army", "armies"),
    "wisdom": ("wise", "wisdom", "folly", "foolish"),
    "work": ("labour", "diligen", "sloth"),
    "worship": ("worship",),
}
# Stems that are whole words: "sin" must not find "since", nor "spirit" find "spiritual".
_WHOLE_WORDS = frozenset({"hope", "law", "laws", "love", "sin", "sins", "spirit", "war"})
_WORD = re.compile(r"[a-z]+")


@cache
def _topics_of(word: str) -> tuple[str, ...]:
    return tuple(topic for topic, stems in TOPICS.items() if any(_says(word, s) for s in stems))


def _says(word: str, stem: str) -> bool:
    return word == stem if stem in _WHOLE_WORDS else word.startswith(stem)


class SourcePassage(msgspec.Struct, frozen=True):
    """One row of `henry.passages.jsonl`; `title` may be empty, `verses` has at least one range."""

    id: Text
    author: Text
    title: str
    ref: Text
    verses: Annotated[tuple[tuple[str, int, int, int], ...], msgspec.Meta(min_length=1)]
    text: Text

    @property
    def book(self) -> str:
        """The book of its verses."""
        return self.verses[0][0]

    @property
    def chapter(self) -> int:
        """The number of their chapter."""
        return self.verses[0][1]

    @property
    def note(self) -> str:
        """Id of the note that it becomes a part of."""
        return f"{self.book}.{self.chapter}"


_SOURCE = RowReader(
    SourcePassage, fixes={"verses": "Write [[book, chapter, first verse, last verse], …]"}
)


def tags_of(body: str) -> list[str]:
    """At most five topics, those spoken of most first, ties in alphabetical order."""
    counts = Counter(topic for word in _WORD.findall(body.lower()) for topic in _topics_of(word))
    found = sorted(counts, key=lambda topic: (-counts[topic], topic))
    return found[:MAX_TAGS] or [FALLBACK_TAG]


def _note_title(passages: list[SourcePassage]) -> str:
    chapter = passages[0].ref.rpartition(":")[0]
    return f"{chapter}: {passages[0].title}" if passages[0].title else chapter


def _sections(passages: list[SourcePassage]) -> tuple[str, list[tuple[int, int]]]:
    """The note's body, and each passage's text as (start, end) in characters of that body."""
    body, spans = "", []
    for passage in passages:
        heading = f"{passage.ref} · {passage.title}" if passage.title else passage.ref
        body += ("\n\n" if body else "") + f"## {heading}\n\n"
        spans.append((len(body), len(body) + len(passage.text)))
        body += passage.text
    return body, spans


def _note_rows(
    user: str, passages: list[SourcePassage]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A user's notes in ingest format, and where each passage stands in them."""
    notes, places = [], []
    chapters = groupby(passages, key=lambda passage: passage.note)
    for week, (note, group) in enumerate(chapters):
        chapter = list(group)
        body, spans = _sections(chapter)
        notes.append(
            {
                "id": note,
                "title": _note_title(chapter),
                "body": body,
                "author": chapter[0].author,
                "date": (FIRST_SUNDAY + timedelta(weeks=week)).isoformat(),
                "tags": tags_of(body),
                "verses": [list(verses) for passage in chapter for verses in passage.verses],
            }
        )
        places += [
            {
                "id": passage.id,
                "user": user,
                "note": note,
                "ref": passage.ref,
                "title": passage.title,
                "start": start,
                "end": end,
            }
            for passage, (start, end) in zip(chapter, spans, strict=True)
        ]
    return notes, places


def _by_user(passages: Iterable[SourcePassage]) -> dict[str, list[SourcePassage]]:
    shares: dict[str, list[SourcePassage]] = {user: [] for user in USER_OF_BOOK.values()}
    for passage in passages:
        if passage.book not in USER_OF_BOOK:
            raise InvalidInput(
                f"{passage.id}: verses",
                f"unknown book {passage.book!r}",
                f"Use one of {', '.join(USER_OF_BOOK)}",
            )
        shares[USER_OF_BOOK[passage.book]].append(passage)
    return {user: share for user, share in shares.items() if share}


def _write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8", newline="\n")


def _plain_rows(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        raise InvalidInput(str(path), "no such file", "Check the folder that was given")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _and_by_hand(built: list[dict[str, Any]], path: Path, origin: str) -> list[dict[str, Any]]:
    """The rows that were built, then those of the file whose `origin` no built row has."""
    origins = {row[origin] for row in built}
    before = _plain_rows(path) if path.exists() else []
    return built + [row for row in before if row[origin] not in origins]


def _copy(source: Path, target: Path) -> None:
    if not source.is_file():
        raise InvalidInput(str(source), "no such file", "Check the folder that was given")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)  # not the mode: the source may be read-only


def build(source: Path, beir: Path, out: Path) -> None:
    """Write notes, passages, attacks and the BEIR collections under `out`.

    Reads `source`/henry.passages.jsonl and attacks.jsonl and the two collections under `beir`.

    Raises:
        InvalidInput: a file is missing, or a passage malformed or of an unknown book.
    """
    places: list[dict[str, Any]] = []
    rows = (row for _, row in _SOURCE.read(source / "henry.passages.jsonl"))
    for user, passages in _by_user(rows).items():
        notes, placed = _note_rows(user, passages)
        _write_rows(out / "notes" / f"{user}.jsonl", notes)
        places += placed
    _write_rows(out / "passages.jsonl", _and_by_hand(places, out / "passages.jsonl", "user"))
    attacks = _plain_rows(source / "attacks.jsonl")
    _write_rows(out / "attacks.jsonl", _and_by_hand(attacks, out / "attacks.jsonl", "source"))
    for name in COLLECTIONS:
        for part in ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv"):
            _copy(beir / name / part, out / "beir" / name / part)
