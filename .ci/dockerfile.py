"""A Dockerfile as its stages and instructions, as far as ours goes; unknown words are refused."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

KNOWN = {
    *("ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE"),
    *("FROM", "HEALTHCHECK", "RUN", "USER", "WORKDIR"),
}


@dataclass(frozen=True)
class Instruction:
    """A word such as RUN, and what it is told, its lines joined."""

    word: str
    told: str

    @property
    def copied_from(self) -> str | None:
        """The stage that a COPY takes from; None: the checkout."""
        named = re.match(r"--from=(\S+)", self.told)
        return named[1] if named else None

    @property
    def paths(self) -> list[str]:
        """What a COPY takes, and last where it puts that."""
        return [each for each in shlex.split(self.told) if not each.startswith("--")]

    @property
    def variables(self) -> dict[str, str]:
        """What an ENV sets."""
        pairs = (each.partition("=") for each in shlex.split(self.told))
        return {name: value for name, _, value in pairs}


@dataclass
class Stage:
    """One FROM and what follows it."""

    base: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)

    def needs(self) -> set[str]:
        """The stages, or images, without which it cannot be made."""
        return {self.base} | {each.copied_from for each in self.instructions if each.copied_from}


def read_stages(path: Path) -> dict[str, Stage]:
    """The stages by name, in their order."""
    stages: dict[str, Stage] = {}
    for each in _instructions(path.read_text(encoding="utf-8")):
        if each.word == "FROM":
            base, _, name = each.told.partition(" AS ")
            stages[name] = stage = Stage(base, name)
        elif stages:
            stage.instructions.append(each)
    return stages


def wanted(stages: dict[str, Stage], target: str) -> list[Stage]:
    """What `target` takes, in the order in which it can be made, itself last."""
    needed = {target}
    for stage in reversed(stages.values()):
        if stage.name in needed:
            needed |= stage.needs()
    return [stage for stage in stages.values() if stage.name in needed]


def _instructions(text: str) -> list[Instruction]:
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    found = [line.partition(" ")[::2] for line in joined.splitlines() if line.strip()]
    unknown = {word for word, _ in found} - KNOWN
    if unknown:
        raise ValueError(f"no such instruction is known here: {', '.join(sorted(unknown))}")
    return [Instruction(word, told.strip()) for word, told in found]
