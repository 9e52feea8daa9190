"""The prompt keeps rules and notes apart, and its version follows its words."""

from __future__ import annotations

import hashlib
import re

from rag_core.domain import (
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
)

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
