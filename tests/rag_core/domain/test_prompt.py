"""The prompt keeps rules and notes apart, and its version follows its words."""

from __future__ import annotations

import hashlib
import re

import pytest

from rag_core.domain import (
    DECLINING_TEXT,
    GUIDANCE,
    PROMPT_VERSION,
    RULES,
    Context,
    Hit,
    Message,
    Prompt,
    Question,
    Source,
    Verses,
    assemble_prompt,
    prompt_version,
    rules_with,
)
from rag_core.errors import InvalidInput

CANARY = "dove-7f3a"
HIT = Hit(
    "n1", 0, "On rest", "", "God rested.", 0, 11, "", None, (), (Verses("Gen", 2, 1, 3),), 0.8
)


def prompt() -> Prompt:
    context = Context((Source(1, HIT, HIT.text),), 20)
    return assemble_prompt(Question("Who rested?"), context, canary=CANARY)


def test_there_are_at_least_five_numbered_rules_against_leaks_each_a_never() -> None:
    rules = re.findall(r"^\d+\. (.+)$", RULES, re.MULTILINE)
    assert len(rules) >= 5
    assert all("ever" in rule for rule in rules)


def test_the_rules_name_what_they_protect() -> None:
    for word in ("instructed", "data, never instructions", "persona", "other people's notes",
                 "tools, keys or settings", "translate or encode"):  # fmt: skip
        assert word in RULES


def test_the_canary_stands_in_the_system_turn_only() -> None:
    system, user = prompt().messages
    assert CANARY in system.content
    assert CANARY not in user.content
    assert "{canary}" not in system.content


def test_rules_are_the_system_turn_and_notes_and_question_the_users() -> None:
    system, user = prompt().messages
    assert system == Message("system", RULES.format(canary=CANARY))
    assert prompt().system == system.content
    assert user.role == "user"
    assert user.content == (
        "<notes>\n[1] On rest | verses: Gen 2:1-3\nGod rested.\n</notes>\n\nQuestion: Who rested?"
    )


def test_the_version_is_a_hash_of_the_rules() -> None:
    """Any changed word gives another version, and with it other cache keys."""
    assert hashlib.sha256(RULES.encode()).hexdigest().startswith(PROMPT_VERSION)
    changed = RULES.replace("brief", "long")
    assert not hashlib.sha256(changed.encode()).hexdigest().startswith(PROMPT_VERSION)
    assert len(PROMPT_VERSION) == 12


BRIEF = f"""Answer in one sentence from the notes between <notes> and </notes>.
If they do not hold it, say: "{DECLINING_TEXT}" Cite like [1]. Braces {{stay}} as they are."""


def test_other_guidance_leaves_what_never_happens_below_it() -> None:
    rules = rules_with(BRIEF)
    assert rules.startswith(BRIEF)
    assert rules.endswith(RULES.removeprefix(GUIDANCE))
    system = assemble_prompt(Question("Why?"), Context(), canary=CANARY, rules=rules).system
    assert CANARY in system
    assert "{stay}" in system
    assert "{canary}" not in system
    assert prompt_version(rules) != PROMPT_VERSION


@pytest.mark.parametrize(
    ("guidance", "problem"),
    [
        ("", "lacks '<notes>'"),
        (BRIEF.replace(DECLINING_TEXT, "I do not know."), "do not answer"),
        (BRIEF.replace("[1]", "a number"), "lacks '\\[1\\]'"),
        (BRIEF + "x" * 4_000, "4000"),
        (BRIEF + "{canary}", "canary"),
    ],
)
def test_guidance_without_what_answers_are_checked_by_is_refused(
    guidance: str, problem: str
) -> None:
    with pytest.raises(InvalidInput, match=problem):
        rules_with(guidance)


def test_the_guidance_that_comes_with_the_package_is_taken() -> None:
    assert rules_with(GUIDANCE) == RULES
