"""The script in force: which behaviours change the reply to which call."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from random import Random

import msgspec

from loadtests.stub_provider.registry import BEHAVIOURS, AnyBehaviour, name_of
from loadtests.stub_provider.reply import Call, Reply


class Script(msgspec.Struct, forbid_unknown_fields=True):
    """Behaviours, applied in their order to each call; what PUT /control takes as JSON."""

    behaviours: Sequence[AnyBehaviour] = ()

    def plan(self, number: int, call: Call) -> tuple[Reply, list[str]]:
        """The reply to the call of this `number`, and the names of what made it so."""
        reply, names = Reply(text=call.extract()), []
        for position, each in enumerate(self.behaviours):
            random = Random(f"{each.seed}:{position}:{number}")
            if each.holds(number, random):
                reply = each.change(reply, call, random)
                names.append(name_of(each))
        return reply, names


class Stage:
    """Holds the script in force, and numbers the calls since it came into force."""

    def __init__(self, script: Script) -> None:
        self.perform(script)

    def perform(self, script: Script) -> None:
        """Put `script` into force; the next call is number 0."""
        self.script = script
        self._numbers = itertools.count()

    def plan(self, call: Call) -> tuple[Reply, list[str]]:
        """The reply to the next call, and the names of what made it so."""
        return self.script.plan(next(self._numbers), call)


def read_script(text: bytes | str) -> Script:
    """The script that JSON like `{"behaviours": [{"behaviour": "hang", "share": 0.1}]}` says.

    Raises:
        ValueError: it names no behaviour, or a field that the behaviour lacks.
    """
    try:
        return msgspec.json.decode(text, type=Script)
    except msgspec.MsgspecError as error:
        known = ", ".join(BEHAVIOURS)
        raise ValueError(f"no script: {error}. The behaviours are: {known}") from None


def behaviour_of(text: str) -> AnyBehaviour:
    """The behaviour that a name, or a JSON object, on the command line says.

    Raises:
        ValueError: there is no such behaviour.
    """
    each = text if text.startswith("{") else msgspec.json.encode({"behaviour": text}).decode()
    return read_script(f'{{"behaviours": [{each}]}}').behaviours[0]
