"""Classes of questions by rules; the look-up is what is left."""

from __future__ import annotations

import pytest

from rag_core.domain import MAX_CHARACTERS, QuestionClass, classify

LOOK_UP, LIST = QuestionClass.LOOK_UP, QuestionClass.LIST
SUMMARY, CHIT_CHAT = QuestionClass.SUMMARY, QuestionClass.CHIT_CHAT


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Why was Cain's offering rejected?", LOOK_UP),
        ("What does he say of Ruth?", LOOK_UP),
        ("Which Pharaoh was it?", LOOK_UP),
        ("Find my note about the roof.", LOOK_UP),
        ("Was sagt Paulus über die Gnade?", LOOK_UP),
        ("Which disciples did I write about?", LIST),
        ("Could you please list all my notes on grace?", LIST),
        ("In which of my notes does the Baptist speak?", LIST),
        ("Summarise what I wrote on Job.", SUMMARY),
        ("What are the main points of my sermon on Jonah?", SUMMARY),
        ("Tell me everything I wrote about Job.", SUMMARY),
        ("Thank you so much for your help!", CHIT_CHAT),
        ("hello there, how are you?", CHIT_CHAT),
        ("You’re very kind, good night.", CHIT_CHAT),
    ],
)
def test_a_question_is_of_the_class_that_its_words_ask_for(
    question: str, kind: QuestionClass
) -> None:
    assert classify(question) is kind


@pytest.mark.parametrize(
    "question", ["Thanks! And why was Ruth in the field?", "Hello, who was Boaz?", "Good Samaritan"]
)
def test_a_question_with_a_pleasantry_is_no_chit_chat(question: str) -> None:
    assert classify(question) is LOOK_UP


def test_a_request_after_a_story_is_seen() -> None:
    assert classify("We meet on Sunday. Please summarise my notes on Ruth.") is SUMMARY


@pytest.mark.parametrize(
    "words",
    [
        *("thanks ", "bye ", "hi! ", "please ", "have a day ", "so ", "a ", "a - "),
        *("which a b c ", "show me ", "all: "),
    ],
)
def test_the_longest_row_of_the_same_words_is_read_in_one_way_only(words: str) -> None:
    """Where a rule could read it in many, this would not end."""
    longest = (words * MAX_CHARACTERS)[: MAX_CHARACTERS - 1]
    assert classify(longest + "x") is LOOK_UP
