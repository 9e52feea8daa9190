"""Each fault made by rule does what its name says, and nothing else."""

from __future__ import annotations

import pytest

from evals.measures.validity.faults import FAULTS, Material, Sentence, sentences, written
from rag_core.domain import DECLINING_TEXT, Context, Hit, Source


def source(number: int, text: str) -> Source:
    hit = Hit(f"n{number}", 0, "A title", "", text, 0, len(text), "", None, (), (), 0.9)
    return Source(number, hit, text)


MATERIAL = Material(
    Context(
        (
            source(1, "Then Moses was afraid. He kept 40 sheep by Jethro. He saw a bush."),
            source(2, "In the end Aaron met 12 elders of Israel. They did not doubt."),
        )
    ),
    ("Zacchaeus came down.", "He gave half his goods."),
)
ANSWER = (
    Sentence("Then Moses was afraid.", (1,)),
    Sentence("He kept 40 sheep by Jethro.", (1,)),
    Sentence("They did not doubt.", (2,)),
)


def spoilt(kind: str) -> list[Sentence]:
    return list(FAULTS[kind](ANSWER, MATERIAL))


def test_an_answer_is_taken_apart_and_put_together_again() -> None:
    text = "Then Moses was afraid. [1] He kept 40 sheep by Jethro. [1][2]\nThey did not doubt. [7]"
    apart = sentences(text, [1, 2])
    assert [each.text for each in apart] == [each.text for each in ANSWER]
    assert [each.numbers for each in apart] == [(1,), (1, 2), ()]
    assert sentences(written(apart), [1, 2]) == apart


def test_negated_turns_every_sentence() -> None:
    assert [each.text for each in spoilt("negated")] == [
        "Then Moses was not afraid.",
        "It is not true that he kept 40 sheep by Jethro.",
        "They did doubt.",
    ]


def test_swapped_names_and_numbers_come_from_the_same_notes() -> None:
    first, second, third = (each.text for each in spoilt("swapped"))
    assert "Moses" not in first
    assert "40" not in second
    assert "12 sheep" in second
    assert "Jethro" not in second
    names = {"Moses", "Jethro", "Aaron", "Israel"}
    assert names & set(first.split())
    assert third == ANSWER[2].text


def test_another_sentence_is_of_the_note_that_is_cited() -> None:
    changed = spoilt("another_sentence")
    assert [each.numbers for each in changed] == [each.numbers for each in ANSWER]
    assert changed[0].text == "He saw a bush."
    assert changed[2].text == "In the end Aaron met 12 elders of Israel."


def test_another_note_is_cited_for_the_same_words() -> None:
    changed = spoilt("another_note")
    assert [each.text for each in changed] == [each.text for each in ANSWER]
    assert [each.numbers for each in changed] == [(2,), (2,), (1,)]


def test_all_sources_are_cited() -> None:
    assert {each.numbers for each in spoilt("all_cited")} == {(1, 2)}


def test_declined_says_nothing_else() -> None:
    assert written(spoilt("declined")) == DECLINING_TEXT


def test_foreign_words_are_another_users_and_no_more_than_there_were() -> None:
    changed = spoilt("foreign_words")
    assert [each.text for each in changed] == list(MATERIAL.foreign)
    assert [each.numbers for each in changed] == [(1,), (1,)]


@pytest.mark.parametrize("kept", [1, 3])
def test_half_of_it_is_left(kept: int) -> None:
    whole = ANSWER[:kept]
    left = written(FAULTS["halved"](whole, MATERIAL))
    assert written(whole).startswith(left.partition(" [")[0])
    assert 0 < len(left.split()) < len(written(whole).split())


@pytest.mark.parametrize("kind", FAULTS)
def test_every_fault_changes_the_answer(kind: str) -> None:
    assert written(spoilt(kind)) != written(ANSWER)
