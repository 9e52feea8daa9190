"""A small golden set and what might be observed of it, for the tests of measures."""

from __future__ import annotations

from pathlib import Path

from evals.datasets.golden import (
    Fact,
    GoldenQuestion,
    GoldenSet,
    NoteFile,
    Passage,
    Scenario,
    Split,
)
from evals.measures.observations import Observation
from evals.measures.scores import Score, Scored
from rag_core.domain import (
    DECLINING_TEXT,
    REFUSAL_TEXT,
    Answer,
    Citation,
    Hit,
    Provenance,
    Ranking,
)

CAIN = "Cain showed a proud heart. Therefore he and his offering were rejected."
ABEL = "Abel offered in faith, and Cain did not. He kept 40 sheep near Eden."
FOREIGN = "Zacchaeus came down from the sycamore tree with great joy and gave half his goods."
BODIES = {
    "ann": {"n1": f"{CAIN}\n\n{ABEL}", "n2": "The ark rested upon mount Ararat in the end."},
    "bob": {"b1": FOREIGN},
}
FACTS = (
    Fact("Cain had a proud heart.", "p1", "Cain showed a proud heart."),
    Fact("Abel offered in faith.", "p2", "Abel offered in faith"),
)


def _passage(identity: str, user: str, note: str, text: str) -> Passage:
    start = BODIES[user][note].index(text)
    return Passage(identity, user, note, "", "", start, start + len(text))


GOLDEN = GoldenSet(
    questions=(),
    passages={
        "p1": _passage("p1", "ann", "n1", CAIN),
        "p2": _passage("p2", "ann", "n1", ABEL),
        "p3": _passage("p3", "ann", "n2", BODIES["ann"]["n2"]),
        "f1": _passage("f1", "bob", "b1", FOREIGN),
    },
    attacks={},
    notes={user: NoteFile(user, Path(user), bodies) for user, bodies in BODIES.items()},
    digest="0" * 64,
)


def question(
    identity: str = "q1",
    scenario: Scenario = Scenario.SINGLE_NOTE,
    *,
    gold: tuple[str, ...] = ("p1", "p2"),
    facts: tuple[Fact, ...] = FACTS,
    foreign_gold: tuple[str, ...] = (),
    text: str = "Why was Cain turned away?",
    split: Split = "dev",
    alternatives: tuple[tuple[str, ...], ...] = (),
) -> GoldenQuestion:
    return GoldenQuestion(
        id=identity,
        user="ann",
        scenario=scenario,
        question=text,
        reference="Cain showed a proud heart.",
        gold=gold,
        facts=facts,
        foreign_gold=foreign_gold,
        split=split,
        alternatives=alternatives,
    )


def unanswerable(
    identity: str = "q1", scenario: Scenario = Scenario.UNANSWERABLE
) -> GoldenQuestion:
    return question(identity, scenario, gold=(), facts=())


def hit(
    text: str, *, user: str = "ann", note: str = "n1", position: int = 0, score: float = 0.9
) -> Hit:
    start = BODIES[user][note].index(text)
    return Hit(
        note, position, "Genesis 4", "", text, start, start + len(text), "", None, (), (), score
    )


def cite(number: int, text: str, *, user: str = "ann", note: str = "n1") -> Citation:
    found = hit(text, user=user, note=note, position=number)
    return Citation(
        number, note, found.chunk_id, "Genesis 4", None, (), text, found.start, found.end
    )


def answer(text: str, *citations: Citation) -> Answer:
    return Answer(text, Provenance.FRESH, citations)


def seen(
    given: Answer | str, asked: GoldenQuestion | None = None, *hits: Hit, timed: bool = True
) -> Observation:
    found = answer(given) if isinstance(given, str) else given
    milliseconds = 5.0 if timed else None
    return Observation(asked or question(), found, Ranking(hits), None, milliseconds, milliseconds)


def failed(asked: GoldenQuestion | None = None) -> Observation:
    return Observation(asked or question(), None, None, "ProviderTimeout")


NOTHING_FOUND = Answer(DECLINING_TEXT, Provenance.NO_CONTEXT)
REFUSED = Answer(REFUSAL_TEXT, Provenance.REFUSED)


def value(score: Score) -> float:
    """The value of a score that must have one."""
    assert isinstance(score, Scored), score
    return score.value
