"""Questions whose answering notes are known: an operator's own, or notes asked for by title."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec

from rag_core.domain.question import MAX_CHARACTERS, Question, validate_question
from rag_core.domain.sentences import split_sentences
from rag_core.domain.user import UserId, authenticated
from rag_core.errors import InvalidInput
from rag_core.note_finding import AnsweredQuestion

if TYPE_CHECKING:
    from rag_core.bootstrap import Application
    from rag_core.settings import Settings

SAMPLED_NOTES = 200
"""Known items: a choice; a few seconds, and an interval of 14 points at its widest."""
SEED = 0
"""Of their sample."""

_Text = Annotated[str, msgspec.Meta(min_length=1)]


class _Row(msgspec.Struct, frozen=True):
    """A line of golden questions; what else it says is not read."""

    question: _Text
    user: _Text
    gold: tuple[_Text, ...] = ()


class _Passage(msgspec.Struct, frozen=True):
    """A line of the passages beside golden questions."""

    id: _Text
    user: _Text
    note: _Text


@dataclass(frozen=True, slots=True)
class AnsweredQuestions:
    """What both embedders are asked."""

    questions: Sequence[AnsweredQuestion]
    described: str
    """What they are, how many, and what was left out; no word of a user."""
    caution: str
    """What they cannot tell."""


class QuestionSource:
    """Makes questions of what is stored for the users of `app`."""

    def __init__(self, app: Application, settings: Settings) -> None:
        self._app, self._settings = app, settings

    async def from_file(self, path: Path) -> AnsweredQuestions:
        """Those of a file whose notes are stored.

        Raises:
            InvalidInput: a bad row; names its file and line. Or no question's notes are stored.
        """
        rows, passages = list(self._rows(path)), _passages(path.with_name("passages.jsonl"))
        spelled = [(row, question, _spellings(row, passages)) for row, question in rows]
        stored = await self._stored([(row.user, names) for row, _, names in spelled])
        questions, left_out = list[AnsweredQuestion](), Counter[str]()
        for row, question, names in spelled:
            if not row.gold:
                left_out["without gold"] += 1
            elif notes := names & stored[row.user]:
                questions.append(AnsweredQuestion(UserId(row.user), question, notes))
            else:
                left_out["whose notes are not stored"] += 1
        if not questions:
            problem = f"{path} has no question with gold whose notes are stored"
            raise InvalidInput("--questions", problem, "Ingest the notes for the users it names")
        missing = ", ".join(f"{count} {why}" for why, count in left_out.items())
        told = f"; left out: {missing}" if missing else ""
        return AnsweredQuestions(
            questions,
            f"{len(questions)} questions of {path.name}{told}\n"
            "success@5: a note that answers is among the first 5 hits"
            " (recall@5, where one note answers)",
            "it holds for questions like these; those on one note count as if they had nothing"
            " in common",
        )

    def _rows(self, path: Path) -> Iterator[tuple[_Row, Question]]:
        from rag_core.adapters.documents import RowReader

        fix = 'Each line is like {"question": "…", "user": "ruth", "gold": ["id of a note"]}'
        for where, row in RowReader(_Row, fix=fix).read(path):
            try:
                authenticated(row.user)
                yield row, self._question(row.question)
            except InvalidInput as error:
                field = f"{where}, field {error.field}"
                raise InvalidInput(field, error.problem, error.fix) from None

    async def _stored(
        self, named: Sequence[tuple[str, frozenset[str]]]
    ) -> dict[str, frozenset[str]]:
        """Of each user the ids among those named under which live notes are stored."""
        found = dict[str, frozenset[str]]()
        for user in {user for user, _ in named}:
            ids = sorted({name for whose, names in named if whose == user for name in names})
            found[user] = frozenset((await self._app.notes.stored_notes(UserId(user), ids)).notes)
        return found

    async def known_items(self) -> AnsweredQuestions:
        """Notes of all users, each asked for by its title, or first sentence where it has none."""
        questions, by_title = list[AnsweredQuestion](), 0
        for user, note, title, body in await self._app.vectors.sample_notes(SAMPLED_NOTES, SEED):
            words = title.strip() or _first_sentence(body)
            try:
                asked = AnsweredQuestion(user, self._question(words), frozenset({note}))
            except InvalidInput:  # nothing readable
                continue
            questions.append(asked)
            by_title += bool(title.strip())
        return AnsweredQuestions(
            questions,
            f"{len(questions)} known items, seed {SEED}: {by_title} notes asked for by their title,"
            f" {len(questions) - by_title} by their first sentence\n"
            "recall@5: the note is among the first 5 hits",
            "easier than people's questions: it shows a model that is broken, not one that is as"
            " good.\n  For evidence: --questions FILE, of questions that people ask",
        )

    def _question(self, words: str) -> Question:
        most = self._settings.question_tokens
        return validate_question(words, tokenizer=self._app.tokenizer, max_tokens=most)


def _passages(path: Path) -> dict[tuple[str, str], str]:
    """Where golden questions name passages: the note of each, by user and passage."""
    from rag_core.adapters.documents import RowReader

    if not path.is_file():
        return {}
    return {(row.user, row.id): row.note for _, row in RowReader(_Passage).read(path)}


def _spellings(row: _Row, passages: dict[tuple[str, str], str]) -> frozenset[str]:
    """Ids that may be meant: `gold` is a passage, a note, or `note#heading`, `user/` before it."""
    found = set[str]()
    for gold in row.gold:
        name = gold.removeprefix(f"{row.user}/")
        known = passages.get((row.user, name))
        found |= {known} if known else {name, name.rpartition("#")[0] or name}
    return frozenset(found)


def _first_sentence(body: str) -> str:
    sentences = split_sentences(body)
    return sentences[0].lstrip("# ")[:MAX_CHARACTERS] if sentences else ""
