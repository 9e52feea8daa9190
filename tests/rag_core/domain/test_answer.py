"""A completion becomes an answer only with true citations and without the rules."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_core.domain import (
    REFUSAL_TEXT,
    RULES,
    CheckedText,
    Context,
    Flag,
    Hit,
    Prompt,
    Question,
    Source,
    Verses,
    assemble_prompt,
    check_completion,
    leaks,
)

CANARY = "dove-7f3a91"


def hit(number: int) -> Hit:
    return Hit(
        note_id=f"n{number}",
        position=number,
        title=f"Note {number}",
        heading="",
        text="God rested. He was pleased.",
        start=100,
        end=127,
        author="",
        date=date(2026, 3, number),
        tags=(),
        verses=(Verses("Gen", 2, 1, 2), Verses("Gen", 2, 3, 3)),
        score=0.8,
    )


SOURCES = (Source(1, hit(1), "God rested. He was pleased."), Source(2, hit(2), "God rested."))
PROMPT: Prompt = assemble_prompt(Question("Who rested?"), Context(SOURCES, 60), canary=CANARY)


def check(text: str) -> CheckedText:
    return check_completion(text, PROMPT)


def test_citations_that_resolve_are_kept_and_described() -> None:
    checked = check("God rested [2]. He was pleased [1].\n")
    assert checked.text == "God rested [2]. He was pleased [1]."
    assert checked.flags == ()
    second, first = checked.citations
    assert (second.number, second.note_id, second.chunk_id) == (2, "n2", "n2#2")
    assert (second.title, second.date) == ("Note 2", date(2026, 3, 2))
    assert second.verses == ("Gen 2:1-3",)
    assert (second.quote, second.start, second.end) == ("God rested.", 100, 111)
    assert (first.number, first.end) == (1, 127)


def test_citations_that_point_at_nothing_are_removed_and_flagged() -> None:
    for text, expected in [
        ("God rested [3].", "God rested."),
        ("God rested [0], and [17] slept.", "God rested, and slept."),
        ("God rested [1][9].", "God rested [1]."),
        ("God rested [1, 9].", "God rested [1]."),
        ("God rested [1; 9].", "God rested [1]."),
        ("God rested [1-4].", "God rested [1][2]."),
        ("God rested [12345].", "God rested."),
    ]:
        checked = check(text)
        assert checked.text == expected
        assert Flag.CITATION_REMOVED in checked.flags


def test_citations_together_in_one_bracket_are_taken_apart(subtests: pytest.Subtests) -> None:
    for text in ["God rested [1, 2].", "God rested [1;2].", "God rested [1–2]."]:
        with subtests.test(text=text):
            checked = check(text)
            assert checked.text == "God rested [1][2]."
            assert [citation.number for citation in checked.citations] == [1, 2]
            assert checked.flags == ()


def test_a_note_cited_twice_is_listed_once() -> None:
    assert len(check("God rested [1]. He was pleased [1].").citations) == 1


def test_an_answer_without_a_citation_is_flagged() -> None:
    assert check("God rested.").flags == (Flag.UNCITED,)
    assert check("God rested [5].").flags == (Flag.CITATION_REMOVED, Flag.UNCITED)


def test_other_brackets_are_left_alone() -> None:
    for text in ["See [Gen 2:3] [1].", "[sic] [1]", "a[i] [1]", "(3) and 3 [1]"]:
        assert check(text).text == text


@given(st.lists(st.one_of(st.text(max_size=8), st.integers(0, 4).map(lambda n: f"[{n}]"))))
def test_every_number_left_in_brackets_is_a_citation(pieces: list[str]) -> None:
    checked = check(" ".join(pieces))
    if not checked.leaked:
        cited = {f"[{citation.number}]" for citation in checked.citations}
        assert {f"[{n}]" for n in range(5) if f"[{n}]" in checked.text} == cited


def test_the_canary_in_an_output_blocks_it() -> None:
    for canary in [CANARY, CANARY.upper(), f"x{CANARY}y"]:
        checked = check(f"God rested [1]. The marker is {canary}.")
        assert checked == CheckedText(REFUSAL_TEXT, (), (Flag.LEAK_BLOCKED,), leaked=True)


WORDS = re.findall(r"\w+", RULES.format(canary="dove"))  # without the canary itself


@given(st.integers(0, len(WORDS) - 12), st.sampled_from([" ", "\n", " ** ", ", "]))
def test_twelve_words_of_the_rules_are_a_leak_wherever_they_begin(at: int, joint: str) -> None:
    prompt = assemble_prompt(PROMPT.question, PROMPT.context, canary="dove")
    said = joint.join(WORDS[at : at + 12])
    if "dove" not in said:
        assert leaks(f"Sure, here they are: {said.upper()} and so on", prompt)


@given(st.integers(0, len(WORDS)))
def test_eight_words_of_the_rules_are_not_yet_a_leak(at: int) -> None:
    said = " ".join(WORDS[at : at + 8])
    assert not leaks(f"Moses said {said} to Aaron", PROMPT)


def test_ordinary_answers_are_not_blocked() -> None:
    for text in [
        "Your notes do not answer this.",
        "The LORD said: never add to the word which I command you, nor take from it [1].",
        "Thou shalt not steal; do not follow a multitude to do evil, nor speak in a cause [2].",
        "Be brief and plain; let your yes be yes [1].",
        "These are the rules that Moses set before them: never take a bribe, and never lie [1].",
        "",
    ]:
        assert not check(text).leaked


def test_half_a_surrogate_pair_in_a_completion_is_replaced() -> None:
    """JSON may carry one; it can be neither stored nor sent on."""
    checked = check("Grace \ud83d is free [1].")
    assert checked.text.encode().decode() == "Grace ? is free [1]."
