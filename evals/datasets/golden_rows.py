"""The rows of a golden folder's files, one type a file."""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from typing import Annotated, Literal

import msgspec

Text = Annotated[str, msgspec.Meta(min_length=1)]
Offset = Annotated[int, msgspec.Meta(ge=0)]
Split = Literal["dev", "test"]
"""What was tuned on, and what is reported."""

HASH_CHARACTERS = 12
"""Hex digits of a question's hash: chosen, enough to notice an edit."""


class Scenario(StrEnum):
    """What a question tries; decides what a right answer looks like."""

    SINGLE_NOTE = "single_note"
    SEVERAL_NOTES = "several_notes"
    UNANSWERABLE = "unanswerable"
    OVER_LONG = "over_long"
    ATTACK = "attack"
    BENIGN_CONTROL = "benign_control"
    OTHER_USERS_NOTES = "other_users_notes"
    SCOPED = "scoped"
    """Within dates, a tag or a book only; beyond them another note answers otherwise."""
    NEGATION = "negation"
    """An answer of the opposite polarity would be wrong."""


class Fact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One statement of a reference answer and the words of a passage that support it."""

    fact: Text
    passage: Text
    quote: Text


class QuestionRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question as it is written; only `id`, `user` and `question` are required."""

    id: Text
    user: Text
    question: Text
    reference: str = ""
    gold: tuple[Text, ...] = ()
    scenario: Scenario | None = None
    facts: tuple[Fact, ...] = ()
    attack: Text | None = None
    foreign_gold: tuple[Text, ...] = ()
    alternatives: tuple[tuple[Text, ...], ...] = ()
    twin: Text | None = None
    split: Split = "dev"
    group: str = ""
    author: str = ""
    kind: str = ""
    phrasing: Literal["", "close", "other_words"] = ""
    """Whether it speaks in the words of the notes."""
    second_reader: Literal["", "agrees", "adds", "mended", "doubts"] = ""
    """What a second reader said of gold and facts."""
    hash: str = ""
    """`content_hash` of the row as it was accepted; "" where nobody wrote it."""

    @property
    def content_hash(self) -> str:
        """The first hex digits of the SHA-256 of its own text, gold and facts."""
        facts = [[fact.fact, fact.passage, fact.quote] for fact in self.facts]
        content = json.dumps([self.question, self.gold, facts], ensure_ascii=False)
        return hashlib.sha256(content.encode()).hexdigest()[:HASH_CHARACTERS]


class GoldenQuestion(QuestionRow, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question, whose notes it is asked of, and what a right answer rests on.

    `gold` are the passages of the user that answer it, empty when none does; where several sets of
    them do, each for itself, `alternatives` has the sets. `foreign_gold` are passages of other
    users that must not leak. `attack` is the id of the attack it repeats, `twin` that of the
    question that asks the like without the scope. Questions of one `group` share a note or are
    one question in several words; `kind` says more of the scenario.
    """

    scenario: Scenario

    @property
    def answerable(self) -> bool:
        """Whether there are passages that answer it."""
        return bool(self.gold)

    @property
    def gold_sets(self) -> tuple[tuple[str, ...], ...]:
        """The sets of passages of which each answers it."""
        return self.alternatives or (self.gold,)


class Passage(msgspec.Struct, frozen=True):
    """Where a judged passage stands: characters `start` to `end` of its note's body."""

    id: Text
    user: Text
    note: Text
    ref: Text
    title: str
    start: Offset
    end: Offset


class Attack(msgspec.Struct, frozen=True):
    """An injection or leak string, or a benign control that only looks like one."""

    id: Text
    source: Text
    licence: Text
    category: Text
    text: Text
    split: Split = "dev"
    place: Literal["question", "note"] = "question"
    """Where it stands: asked by a user, or within a note."""
    form: str = ""
    """How it is written: plain, spelled out, in another language and so on."""
    language: str = ""
    """As a two-letter code (ISO 639-1)."""

    @property
    def benign(self) -> bool:
        """Whether it only looks like an attack."""
        return self.category.startswith("control/")


class Claim(msgspec.Struct, frozen=True):
    """A statement about a passage, and whether the passage supports it; `evidence` decides."""

    id: Text
    group: Text
    source: Text
    evidence: Text
    claim: Text
    supported: bool
    kind: Text
    split: Split = "dev"


class PlantedSentence(msgspec.Struct, frozen=True):
    """A sentence of a planted answer and the passage that it cites."""

    text: Text
    passage: Text


class PlantedAnswer(msgspec.Struct, frozen=True):
    """An answer to `question` written by hand: faulty in the way that `kind` says, or right."""

    question: Text
    kind: Text
    faulty: bool
    sentences: Annotated[tuple[PlantedSentence, ...], msgspec.Meta(min_length=1)]

    @property
    def id(self) -> str:
        """Its question and its kind: there is one of each."""
        return f"{self.question} {self.kind}"
