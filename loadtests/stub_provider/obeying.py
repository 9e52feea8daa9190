"""A reply that depends on the prompt: the stub's stand-in for a model that follows its rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Annotated

import msgspec

from loadtests.stub_provider.behaviours import Behaviour
from loadtests.stub_provider.reply import DECLINING, Call, Reply

_SOURCE = re.compile(
    r"^\[(\d+)\] [^\n]*\n(.+?)(?=\n\n\[\d+\] |\n</notes>)", re.DOTALL | re.MULTILINE
)
_ASKED = re.compile(r"</notes>\s*Question: (.*)", re.DOTALL)
_SENTENCE = re.compile(r".+?(?:[.!?][\"'”’)]*(?=\s|$)|$)", re.DOTALL)
_WORD = re.compile(r"[a-z]{4,}")
_AT_MOST = re.compile(r"\bat most (one|two|three|four|five|\d+) sentences?\b", re.IGNORECASE)
_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}


class Obey(Behaviour):
    """Quotes what shares most words with the question; of the rules it obeys "at most N sentences".

    Without that rule it quotes `sentences`, and it declines where the best one shares less than
    `least` of the question's words, 0 to 1.
    """

    sentences: Annotated[int, msgspec.Meta(ge=1)] = 4
    least: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.3

    def change(self, reply: Reply, call: Call, random: Random) -> Reply:
        """See `Behaviour`."""
        rules = " ".join(turn.content for turn in call.messages if turn.role == "system")
        text = "\n".join(turn.content for turn in call.messages if turn.role != "system")
        asked = _ASKED.search(text)
        words = _words(asked[1]) if asked else set()
        shares = sorted(
            ((len(words & _words(said)) / max(1, len(words)), said) for said in _sentences(text)),
            key=lambda pair: -pair[0],
        )
        quoted = [said for share, said in shares[: self._most(rules)] if share >= self.least]
        return replace(reply, text="\n".join(quoted) or DECLINING)

    def _most(self, rules: str) -> int:
        if found := _AT_MOST.search(rules):
            return _NUMBERS.get(found[1].lower()) or int(found[1])
        return self.sentences


def _sentences(text: str) -> Iterator[str]:
    """Every sentence of every source with its mark, in their order."""
    for number, body in _SOURCE.findall(text):
        for sentence in _SENTENCE.findall(" ".join(body.split())):
            if sentence.strip():
                yield f"{sentence.strip()} [{number}]"


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))
