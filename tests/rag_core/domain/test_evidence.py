"""The fingerprint changes with everything an answer rests on, and with nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from msgspec import structs

from rag_core.domain import Context, Hit, Question, Verses, fingerprint
from tests.rag_core.cache.parts import context, hit

QUESTION = Question("What is grace?")
FIRST, SECOND = hit(), hit("A storm rose.", note_id="storm", title="On a storm")
BASE = fingerprint(QUESTION, context(FIRST, SECOND), "pipeline")


def of(*hits: Hit) -> str:
    return fingerprint(QUESTION, context(*hits), "pipeline")


def test_it_changes_with_whatever_the_generator_sees_or_a_citation_says() -> None:
    for changed in [
        structs.replace(FIRST, text="Grace is a debt."),
        structs.replace(FIRST, title="Of grace"),
        structs.replace(FIRST, date=date(2026, 5, 4)),
        structs.replace(FIRST, date=None),
        structs.replace(FIRST, tags=("gift",)),
        structs.replace(FIRST, tags=("favour", "gift")),
        structs.replace(FIRST, verses=(Verses("Eph", 2, 8, 10),)),
        structs.replace(FIRST, verses=()),
        structs.replace(FIRST, heading="A wage"),
        structs.replace(FIRST, note_id="grace-2"),
        structs.replace(FIRST, position=1),
        structs.replace(FIRST, start=5),
    ]:
        assert of(changed, SECOND) != BASE


def test_it_changes_with_the_order_of_sources() -> None:
    assert of(SECOND, FIRST) != BASE


def test_it_changes_with_a_source_more_or_less() -> None:
    assert len({BASE, of(FIRST), of(SECOND), of(), of(FIRST, SECOND, hit("More."))}) == 5


def test_it_changes_when_a_source_is_cut_shorter() -> None:
    whole = context(FIRST, SECOND)
    cut = Context((replace(whole.sources[0], text="Grace is"), whole.sources[1]))
    assert fingerprint(QUESTION, cut, "pipeline") != BASE


def test_it_changes_with_the_question() -> None:
    assert fingerprint(Question("What is hope?"), context(FIRST, SECOND), "pipeline") != BASE


def test_it_changes_with_the_pipeline() -> None:
    assert fingerprint(QUESTION, context(FIRST, SECOND), "another") != BASE


def test_it_does_not_change_with_scores() -> None:
    assert of(structs.replace(FIRST, score=0.5), structs.replace(SECOND, score=0.4)) == BASE


def test_it_does_not_change_with_the_letter_case_of_the_question() -> None:
    shouted = Question("WHAT IS GRACE?")
    assert fingerprint(shouted, context(FIRST, SECOND), "pipeline") == BASE


def test_what_is_said_in_one_field_is_not_taken_for_another() -> None:
    """Fields glued together would be equal here."""
    assert of(hit("b", title="a", heading="")) != of(hit("", title="a", heading="b"))
    assert fingerprint(Question("ab"), Context(), "c") != fingerprint(
        Question("b"), Context(), "ca"
    )
