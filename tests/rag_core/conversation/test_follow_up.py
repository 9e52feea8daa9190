"""Follow-ups by rules: what needs the question before it, and what must not be touched."""

from __future__ import annotations

import pytest

from rag_core.conversation import Resolver, Turn, combined, is_follow_up
from rag_core.domain import Tokenizer, UserId, validate_question

USER = UserId("ruth")
FOLLOW_UPS = [
    "Why?",
    "And then?",
    "Tell me more.",
    "What about Abel?",
    "And in Leviticus?",
    "For Lent?",
    "Anything else?",
    "The second one?",
    "And the widow who kept going to the judge?",
    "What did he do then?",
    "What sign was he given?",
    "What was her name?",
    "Why did the disciples wake him?",
    "What did Nathan say to him?",
    "Why did Peter refuse it at first?",
    "Why couldn’t they go in?",
    "How did he answer that?",
    "What does this mean?",
    "Have I ever preached on this?",
    "Tell me about them.",
]
ALONE = [
    "What does Paul call grace?",
    "Why was Cain rejected when he brought his offering?",
    "When Moses struck the rock, what did God say to him?",
    "What does it mean to fear God?",
    "Is it right that a man buries his father?",
    "What did I say about my father when I buried him?",
    "What do those learn who wait?",
    "Was it his eyes that made the coward weep?",
    "Was it an apple, or what fruit did Eve eat?",
    "They tried to catch Jesus out over the tax. How did he get round it?",
    "What did I preach on this year?",
    "Did that keen scholar stay on?",
    "In Egypt, what did Abraham say of Sarah?",
    "And what did I say about grace in Romans?",
    "What if a brother falls away?",
    "grace in Ephesians",
    "forgiveness",
    "Should a shepherd know his sheep?",
    "Was hat er über die Gnade gesagt?",
]


@pytest.mark.parametrize("question", FOLLOW_UPS)
def test_a_question_that_leans_on_the_one_before_is_a_follow_up(question: str) -> None:
    assert is_follow_up(question)


@pytest.mark.parametrize("question", ALONE)
async def test_a_question_that_stands_alone_passes_as_it_is(question: str) -> None:
    assert not is_follow_up(question)
    before = Turn(asked="Why was Cain wroth?", question="Why was Cain wroth?", asked_at=0.0)
    resolution = await Resolver().resolve(USER, question, [before])
    assert (resolution.question, resolution.by) == (question, "")


def test_what_was_asked_before_goes_in_front_and_of_a_long_chain_the_end() -> None:
    assert combined("And why?", "Who was Cain?") == "Who was Cain? And why?"
    chain = "Who was Cain? And why? What did he do?"
    assert combined("And then?", chain) == "And why? What did he do? And then?"


def test_a_long_question_before_does_not_cut_off_the_follow_up(tokenizer: Tokenizer) -> None:
    long = " ".join(["remembrance"] * 200) + " what did I say of grace?"
    asked = combined("And why did he call it that?", long)
    question = validate_question(asked, tokenizer=tokenizer, max_tokens=150)
    assert not question.truncated
    assert question.text.endswith("what did I say of grace? And why did he call it that?")


def test_one_year_takes_the_place_of_another() -> None:
    before = "What was the income in the 2022 budget?"
    assert combined("And in 2023?", before) == "What was the income in the 2023 budget?"
    assert combined("What about 2024?", before) == "What was the income in the 2024 budget?"
    two = "What changed from 2021 to 2022?"
    assert combined("And in 2023?", two) == f"{two} And in 2023?"


async def test_a_follow_up_rests_on_what_the_turn_before_it_rests_on() -> None:
    turns = [
        Turn(asked="Who was Cain?", question="Who was Cain?", asked_at=0.0, notes=("Gen.4",)),
        Turn(asked="Why?", question="Who was Cain? Why?", asked_at=1.0, notes=("Gen.4", "Heb.11")),
    ]
    resolution = await Resolver().resolve(USER, "And then?", turns)
    assert resolution.notes == ("Gen.4", "Heb.11")
    again = await Resolver().resolve(USER, "WHY?", turns)
    assert again.question == turns[-1].question, "asked again, and meant again"


async def test_a_first_question_has_nothing_to_lean_on() -> None:
    assert (await Resolver().resolve(USER, "And why?", [])).question == "And why?"
