"""A pattern of attack, and the words that several families share.

A blank in a piece of a pattern stands for any white space.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

Needs = tuple[frozenset[str], ...]


@dataclass(frozen=True)
class Pattern:
    """One way to attack, recognised in folded text; `name` is `family.what`."""

    name: str
    source: str
    example: str
    needs: Needs
    """What matches has one of each of these groups: the first letters of words, five at most, and
    signs. Looking for them costs far less than a search."""

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """Compiled when a text first has what it needs: all of them together take some 50 ms."""
        return re.compile(self.source)

    @property
    def family(self) -> str:
        """The first part of the name."""
        return self.name.partition(".")[0]


def attack(name: str, source: str, needs: str, example: str) -> Pattern:
    """A pattern that line breaks do not hide from; `&` stands between groups of needs."""
    groups = tuple(frozenset(group.split()) for group in needs.split("&"))
    return Pattern(name, source.replace(" ", r"\s"), example, groups)


START = (
    r"(?:^|[\n.!?:;,>\])\"'(-] ?|\b(?:and|then|now|please|kindly|just|simply|also|always|totally"
    r"|completely|instead|first|(?:can|could|would|will) you|you to|(?:task|job) is to|let's"
    r"|you (?:can|could|should|must|may|will|shall|need to|have to|are to)) )"
)
"""Where an order can begin. "Why did Saul ignore …" and "those who forget …" do not begin so."""

OPENING = (
    r"(?:^|[\n.!?:;>\])] ?|\b(?:please|kindly|now|(?:can|could|would|will) you|you to|you must"
    r"|you should|you will|(?:task|job) is to|let's) )(?:please |kindly |now |just )*"
)
"""The same without "and" and commas, for orders whose words also tell stories."""

NOT_IN_SCRIPTURE = (
    r"\b(?! (?:of (?!this|your|the (?:system|assistant|model|app|ai)\b)"
    r"|for (?!a |now|this|the (?:rest|moment))|from|by"
    r"|god|jesus|christ|moses|paul|the lord|he|she|they|given (?!to you|above)"
    r"|(?:that|which|who) (?!you|i |we |were|are|came)|in (?!your|this|the (?:system|prompt)|json"
    r"|full|a |the form)|\w+ gave|to (?!me|you|the user))\b)"
)
"""What follows would say whose instructions are meant: somebody's in the Bible, not ours."""
