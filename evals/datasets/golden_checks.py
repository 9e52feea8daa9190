"""Proof that golden data agree with themselves: every contradiction, a sentence each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from evals.datasets.golden import GoldenQuestion, GoldenSet, Scenario

OVER_LONG_WORDS = 150
"""As many words as the question budget has tokens."""


def validate(golden: GoldenSet) -> list[str]:
    """Every contradiction within a golden set, a sentence each; empty when there is none."""
    if misplaced := list(_misplaced(golden)):
        return misplaced  # no quote can be judged before the passages stand where they should
    checks = (_owner_problems, _fact_problems, _scenario_problems, _attack_problems)
    of_questions = [
        f"{question.id}: {problem}"
        for question in golden.questions
        for check in checks
        for problem in check(golden, question)
    ]
    return [*of_questions, *_split_problems(golden), *_claim_problems(golden)]


def _misplaced(golden: GoldenSet) -> Iterator[str]:
    for passage in golden.passages.values():
        notes = golden.notes.get(passage.user)
        body = notes.bodies.get(passage.note) if notes else None
        if body is None:
            yield f"{passage.id}: {passage.user} has no note {passage.note}"
        elif not passage.start < passage.end <= len(body):
            yield f"{passage.id}: {passage.start}-{passage.end} is no part of its note's body"


def _owner_problems(golden: GoldenSet, question: GoldenQuestion) -> Iterator[str]:
    if question.user not in golden.notes:
        yield f"user {question.user} has no notes"
    for passage_id in (*question.gold, *question.foreign_gold):
        if passage_id not in golden.passages:
            yield f"there is no passage {passage_id}"
            continue
        own = golden.passages[passage_id].user == question.user
        if passage_id in question.gold and not own:
            yield f"gold {passage_id} is not the user's"
        if passage_id in question.foreign_gold and own:
            yield f"foreign_gold {passage_id} is the user's own"


def _fact_problems(golden: GoldenSet, question: GoldenQuestion) -> Iterator[str]:
    for fact in question.facts:
        if fact.passage not in question.gold:
            yield f"fact passage {fact.passage} is not in gold"
        elif fact.passage in golden.passages and fact.quote not in golden.text(fact.passage):
            yield f"quote is not in {fact.passage}: {fact.quote!r}"
    quoted = {fact.passage for fact in question.facts}
    sets = question.alternatives or (question.gold,)
    if not any(quoted >= set(passages) for passages in sets):
        yield f"no fact rests on gold {', '.join(sorted(set(sets[0]) - quoted))}"
    if question.alternatives and set().union(*question.alternatives) != set(question.gold):
        yield "alternatives hold other passages than gold"


def _scenario_problems(golden: GoldenSet, question: GoldenQuestion) -> Iterator[str]:
    notes = min(
        len({golden.passages[p].note for p in passages if p in golden.passages})
        for passages in question.alternatives or (question.gold,)
    )
    match question.scenario:
        case Scenario.SINGLE_NOTE if notes != 1:
            yield f"single_note needs gold in one note, has {notes}"
        case Scenario.SEVERAL_NOTES if notes < 2:
            yield f"several_notes needs gold in two notes or more, has {notes}"
        case Scenario.OVER_LONG if notes < 1:
            yield "over_long needs gold"
        case Scenario.UNANSWERABLE | Scenario.ATTACK | Scenario.OTHER_USERS_NOTES if question.gold:
            yield f"{question.scenario} must have no gold"
    # No token of Llama's spans two words, so more words than this are more tokens too.
    words = len(question.question.split())
    if (question.scenario is Scenario.OVER_LONG) != (words > OVER_LONG_WORDS):
        yield f"{words} words: only over_long questions have more than {OVER_LONG_WORDS}"
    foreign = question.scenario is Scenario.OTHER_USERS_NOTES
    if foreign != bool(question.foreign_gold):
        yield "foreign_gold belongs to other_users_notes questions, and to each of them"


def _attack_problems(golden: GoldenSet, question: GoldenQuestion) -> Iterator[str]:
    benign = question.scenario is Scenario.BENIGN_CONTROL
    if question.attack is None:
        if question.scenario is Scenario.ATTACK:
            yield "attack questions name their attack"
        return
    attack = golden.attacks.get(question.attack)
    if attack is None:
        yield f"there is no attack {question.attack}"
        return
    if question.scenario not in (Scenario.ATTACK, Scenario.BENIGN_CONTROL):
        yield f"{question.scenario} must name no attack"
    if attack.text != question.question:
        yield f"question is not the text of attack {attack.id}"
    if attack.benign != benign:
        yield f"attack {attack.id} of category {attack.category} does not fit {question.scenario}"


def _split_problems(golden: GoldenSet) -> Iterator[str]:
    """What is reported must not have been seen while tuning: no note, no group in both splits."""
    splits: dict[str, set[str]] = defaultdict(set)
    ids = {question.id for question in golden.questions}
    for question in golden.questions:
        places = {golden.passages[p] for p in question.gold if p in golden.passages}
        for shared in {question.group, *(f"{place.user}/{place.note}" for place in places)} - {""}:
            splits[shared].add(question.split)
        if question.twin and question.twin not in ids:
            yield f"{question.id}: there is no twin {question.twin}"
    yield from (f"{shared} is in both splits" for shared, seen in splits.items() if len(seen) > 1)


def _claim_problems(golden: GoldenSet) -> Iterator[str]:
    tested = {
        golden.passages[passage].note
        for question in golden.questions
        if question.split == "test"
        for passage in question.gold
        if passage in golden.passages
    }
    for claim in golden.claims:
        if claim.source not in golden.passages:
            yield f"{claim.id}: there is no passage {claim.source}"
        elif claim.evidence not in golden.text(claim.source):
            yield f"{claim.id}: evidence is not in {claim.source}: {claim.evidence!r}"
        elif claim.split == "dev" and golden.passages[claim.source].note in tested:
            yield f"{claim.id}: {claim.source} is of a note that test questions ask about"
