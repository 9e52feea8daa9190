"""Proof that golden data agree with themselves: every mistake with its place and its fix."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Set
from pathlib import Path
from typing import NamedTuple

from evals.datasets.golden import (
    OVER_LONG_WORDS,
    QUESTIONS,
    GoldenFolder,
    GoldenQuestion,
    GoldenSet,
    Scenario,
    load,
    read_folder,
)
from evals.datasets.golden_planted import planted_mistakes
from rag_core.adapters.documents import note_problems
from rag_core.domain import MAX_CHARACTERS, authenticated, normalise
from rag_core.errors import InvalidInput

PASSAGES, ATTACKS, CLAIMS, PLANTED = (
    f"{name}.jsonl" for name in ("passages", "attacks", "claims", "planted")
)
_LINE = re.compile(r" line (\d+)\b")


class Mistake(NamedTuple):
    """What is wrong with a field, and how to mend it."""

    field: str
    problem: str
    fix: str


def check_folder(folder: Path, *, hashes: bool = True) -> list[str]:
    """Every mistake of a golden folder, a line each: file:line, field, what is wrong, the fix.

    Without `hashes`, questions may have been edited since they were accepted.

    Raises:
        InvalidInput: there are no notes at all.
    """
    read = read_folder(folder)
    return [
        *(_LINE.sub(r":\1", str(error), count=1) for error in _unreadable(read)),
        *(_hash_problems(read) if hashes else ()),
        *validate(read.golden, read.incomplete),
    ]


def load_checked(folder: Path) -> GoldenSet:
    """The golden folder, which has no mistake.

    Raises:
        InvalidInput: it has; tells the first.
    """
    if mistakes := check_folder(folder):
        more = f"All {len(mistakes)}: python -m evals validate {folder}"
        raise InvalidInput("--golden", mistakes[0], more)
    return load(folder)


def validate(golden: GoldenSet, incomplete: Set[str] = frozenset()) -> list[str]:
    """Every contradiction within a golden set, a line each; empty when there is none.

    What only a row of one of the files `incomplete` could explain is not complained of.
    """
    misplaced = _misplaced(golden)
    told = [_told(golden, PASSAGES, id, mistake) for id, mistake in misplaced.items()]
    # No quote can be judged in a passage that stands nowhere.
    checks = Checks(golden, incomplete, misplaced.keys())
    for question in golden.questions:
        told += [_told(golden, QUESTIONS, question.id, each) for each in checks.of(question)]
    told += [_told(golden, QUESTIONS, id, each) for id, each in _straddling(golden)]
    told += [_told(golden, CLAIMS, id, each) for id, each in checks.of_claims()]
    if QUESTIONS in incomplete:
        return told
    planted = planted_mistakes(golden)
    return [*told, *(_told(golden, PLANTED, id, Mistake(*each)) for id, each in planted)]


def _told(golden: GoldenSet, file: str, identity: str, mistake: Mistake) -> str:
    place = _LINE.sub(r":\1", golden.places.get((file, identity), file))
    return f"{place}, field {mistake.field}: {identity}: {mistake.problem}. {mistake.fix}"


def _unreadable(read: GoldenFolder) -> Iterator[InvalidInput]:
    """Rows that cannot be read, and notes that cannot be ingested."""
    yield from (error for error in read.problems if "/notes/" not in error.field)
    for user, file in read.golden.notes.items():
        try:
            authenticated(user)
        except InvalidInput as error:
            yield InvalidInput(f"{file.path}: the file's name", error.problem, error.fix)
        yield from note_problems(file.path)


def _hash_problems(read: GoldenFolder) -> Iterator[str]:
    for row in read.rows:
        if row.hash and row.hash != row.content_hash:
            problem = "its question, gold or facts are not those that were accepted"
            fix = "Undo the edit, or accept it: python -m evals validate DIR --write-hashes"
            yield _told(read.golden, QUESTIONS, row.id, Mistake("hash", problem, fix))


def _misplaced(golden: GoldenSet) -> dict[str, Mistake]:
    found = {}
    for passage in golden.passages.values():
        notes = golden.notes.get(passage.user)
        body = notes.bodies.get(passage.note) if notes else None
        if body is None:
            problem = f"{passage.user} has no note {passage.note}"
            found[passage.id] = Mistake("note", problem, "Name a note of notes/USER.jsonl")
        elif not passage.start < passage.end <= len(body):
            problem = f"{passage.start}-{passage.end} is no part of its note's body"
            fix = f"Count characters from 0; the body has {len(body)}"
            found[passage.id] = Mistake("end", problem, fix)
    return found


class Checks:
    """The checks of questions and claims against the rest of their folder."""

    def __init__(self, golden: GoldenSet, incomplete: Set[str], misplaced: Set[str]) -> None:
        self._golden = golden
        self._misplaced = misplaced
        self._ids = {question.id for question in golden.questions}
        places_known = not any(name.startswith(("notes/", PASSAGES)) for name in incomplete)
        self._knows = {name: name not in incomplete for name in (QUESTIONS, ATTACKS)}
        self._knows[PASSAGES] = places_known

    def of(self, question: GoldenQuestion) -> Iterator[Mistake]:
        """Every mistake of one question."""
        for check in (self._words, self._owner, self._facts, self._scenario, self._attack):
            yield from check(question)

    def of_claims(self) -> Iterator[tuple[str, Mistake]]:
        """Every mistake of every claim, with the claim's id."""
        golden = self._golden
        tested = {
            golden.passages[passage].note
            for question in golden.questions
            if question.split == "test"
            for passage in question.gold
            if passage in golden.passages
        }
        for claim in golden.claims:
            source = golden.passages.get(claim.source)
            if source is None:
                yield from ((claim.id, each) for each in self._no_passage("source", claim.source))
            elif source.id not in self._misplaced and claim.evidence not in golden.text(source.id):
                problem = f"evidence is not in {claim.source}: {claim.evidence!r}"
                yield claim.id, Mistake("evidence", problem, "Copy it word for word")
            elif claim.split == "dev" and source.note in tested:
                problem = f"{claim.source} is of a note that test questions ask about"
                yield claim.id, Mistake("split", problem, 'Make it "test", or take another note')

    def _words(self, question: GoldenQuestion) -> Iterator[Mistake]:
        if not normalise(question.question):
            yield Mistake("question", "has no readable character", "Write what is asked")
        if len(question.question) > MAX_CHARACTERS:
            problem = f"has more than {MAX_CHARACTERS} characters"
            yield Mistake("question", problem, "Shorten it: the pipeline refuses it")
        if question.answerable and not question.reference.strip():
            fix = "Write the answer that a careful reader of the notes would give"
            yield Mistake("reference", "is empty, though there is gold", fix)

    def _owner(self, question: GoldenQuestion) -> Iterator[Mistake]:
        if question.user not in self._golden.notes:
            fix = f"There are {', '.join(self._golden.notes)}"
            yield Mistake("user", f"user {question.user} has no notes", fix)
        for field, names in (("gold", question.gold), ("foreign_gold", question.foreign_gold)):
            for name in names:
                passage = self._golden.passages.get(name)
                if passage is None:
                    yield from self._no_passage(field, name)
                elif (passage.user == question.user) != (field == "gold"):
                    whose = "not the user's" if field == "gold" else "the user's own"
                    fix = "gold is the asking user's, foreign_gold another's"
                    yield Mistake(field, f"{field} {name} is {whose}", fix)

    def _no_passage(self, field: str, name: str) -> Iterator[Mistake]:
        if self._knows[PASSAGES]:
            fix = "Name one of passages.jsonl or, where there is none, a note or note#heading"
            yield Mistake(field, f"there is no passage {name}", fix)

    def _facts(self, question: GoldenQuestion) -> Iterator[Mistake]:
        golden = self._golden
        for number, fact in enumerate(question.facts):
            known = fact.passage in golden.passages and fact.passage not in self._misplaced
            if fact.passage not in question.gold:
                problem = f"fact passage {fact.passage} is not in gold"
                yield Mistake(f"facts[{number}].passage", problem, "Add it to gold")
            elif known and fact.quote not in golden.text(fact.passage):
                problem = f"quote is not in {fact.passage}: {fact.quote!r}"
                fix = "Copy it word for word from the note's body"
                yield Mistake(f"facts[{number}].quote", problem, fix)
        quoted = {fact.passage for fact in question.facts}
        if quoted and not any(quoted >= set(passages) for passages in question.gold_sets):
            lacking = ", ".join(sorted(set(question.gold_sets[0]) - quoted))
            fix = "Quote each passage of gold, or take it out"
            yield Mistake("facts", f"no fact rests on gold {lacking}", fix)
        sets = question.alternatives
        if sets and set().union(*sets) != set(question.gold):
            fix = "gold is all passages of all alternatives"
            yield Mistake("alternatives", "alternatives hold other passages than gold", fix)

    def _notes(self, question: GoldenQuestion) -> int:
        """Number of notes that its smallest set of gold is spread over."""
        places = self._golden.passages
        return min(len({places[p].note for p in s if p in places}) for s in question.gold_sets)

    def _scenario(self, question: GoldenQuestion) -> Iterator[Mistake]:
        scenario, notes = question.scenario, self._notes(question)
        known = self._knows[PASSAGES] and all(p in self._golden.passages for p in question.gold)
        match scenario:
            case Scenario.SINGLE_NOTE if notes != 1 and known:
                problem = f"single_note needs gold in one note, has {notes}"
                yield Mistake("scenario", problem, "Leave scenario out, or mend gold")
            case Scenario.SEVERAL_NOTES if notes < 2 and known:
                problem = f"several_notes needs gold in two notes or more, has {notes}"
                yield Mistake("scenario", problem, "Leave scenario out, or mend gold")
            case Scenario.OVER_LONG | Scenario.SCOPED | Scenario.NEGATION if not question.gold:
                yield Mistake("gold", f"{scenario} needs gold", "Name what answers it")
            case Scenario.UNANSWERABLE | Scenario.ATTACK | Scenario.OTHER_USERS_NOTES if (
                question.gold
            ):
                yield Mistake("gold", f"{scenario} must have no gold", "Empty it")
        yield from self._twin(question)
        # No token of Llama's spans two words, so more words than this are more tokens too.
        words = len(question.question.split())
        if (scenario is Scenario.OVER_LONG) != (words > OVER_LONG_WORDS):
            problem = f"{words} words: only over_long questions have more than {OVER_LONG_WORDS}"
            yield Mistake("scenario", problem, "Leave scenario out, or change the question")
        if (scenario is Scenario.OTHER_USERS_NOTES) != bool(question.foreign_gold):
            problem = "foreign_gold belongs to other_users_notes questions, and to each of them"
            yield Mistake("foreign_gold", problem, "Name what must not be shown")

    def _twin(self, question: GoldenQuestion) -> Iterator[Mistake]:
        if question.scenario is Scenario.SCOPED and not question.twin:
            fix = "Name the question that asks the like without the scope"
            yield Mistake("twin", "scoped needs a twin", fix)
        if question.twin and question.twin not in self._ids and self._knows[QUESTIONS]:
            yield Mistake("twin", f"there is no twin {question.twin}", "Name a question's id")

    def _attack(self, question: GoldenQuestion) -> Iterator[Mistake]:
        benign = question.scenario is Scenario.BENIGN_CONTROL
        if question.attack is None:
            if question.scenario is Scenario.ATTACK and self._golden.attacks:
                yield Mistake("attack", "attack questions name their attack", "Give its id")
            return
        attack = self._golden.attacks.get(question.attack)
        if attack is None:
            if self._knows[ATTACKS]:
                problem = f"there is no attack {question.attack}"
                yield Mistake("attack", problem, f"Give an id of {ATTACKS}")
            return
        if question.scenario not in (Scenario.ATTACK, Scenario.BENIGN_CONTROL):
            yield Mistake("attack", f"{question.scenario} must name no attack", "Take it out")
        if attack.text != question.question:
            problem = f"question is not the text of attack {attack.id}"
            yield Mistake("question", problem, "Copy it word for word")
        if attack.benign != benign:
            category = f"attack {attack.id} of category {attack.category}"
            problem = f"{category} does not fit {question.scenario}"
            yield Mistake("scenario", problem, "control/… belongs to benign_control only")


def _straddling(golden: GoldenSet) -> Iterator[tuple[str, Mistake]]:
    """What is reported must not have been seen while tuning: no note, no group in both splits."""
    asked: dict[str, list[GoldenQuestion]] = defaultdict(list)
    for question in golden.questions:
        places = {golden.passages[p] for p in question.gold if p in golden.passages}
        notes = {f"note {place.user}/{place.note}" for place in places}
        group = {f"group {question.group}"} if question.group else set()
        for shared in sorted(group | notes):
            asked[shared].append(question)
    for shared, questions in asked.items():
        other = next((q for q in questions if q.split != questions[0].split), None)
        if other:
            problem = f"{shared} is in both splits: {questions[0].id} is {questions[0].split}"
            yield other.id, Mistake("split", problem, "Keep all of it in one split")
