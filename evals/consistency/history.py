"""What each note may have said when: commits are intervals, and some are never heard of again."""

from __future__ import annotations

import itertools
import math
import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from rag_core.domain import UserId

ABSENT = -1
"""The version of a note that is not there."""

_MENTION = re.compile(r"<(?P<user>[\w.]+)/(?P<note>\w+)/v(?P<version>\d+)>")


@dataclass(frozen=True, slots=True)
class Mention:
    """A version of a note that a text rests on."""

    user: str
    note: str
    version: int

    def __str__(self) -> str:
        return f"<{self.user}/{self.note}/v{self.version}>"


def mentions(text: str) -> set[Mention]:
    """All versions that a text mentions."""
    matches = _MENTION.finditer(text)
    return {Mention(match["user"], match["note"], int(match["version"])) for match in matches}


@dataclass(slots=True, eq=False)
class Write:
    """A change of one note, from when it was sent until something else stood in its place.

    `sent`, `seen`, `done` and `replaced` are numbers of ticks of the history; infinity where
    nothing is known yet.
    """

    user: UserId
    note: str
    version: int
    sent: float
    hashed: bool = True
    """Whether it changes the version that compare-and-set compares."""
    seen: float = math.inf
    """By then its writer had read what it is to replace: whatever is sent later forbids it."""
    done: float = math.inf
    """By then it had taken effect, or never would."""
    replaced: float = math.inf
    """By then another change had certainly taken its place."""

    def gives_way_to(self, other: Write) -> bool:
        """Whether `other`, which took effect, did so after this one did or could."""
        return other.sent > self.done or (other.hashed and other.sent > self.seen)


@dataclass(slots=True)
class _Versions:
    """All writes of one note, and those that may still stand."""

    by_version: dict[int, list[Write]] = field(default_factory=lambda: defaultdict(list))
    standing: list[Write] = field(default_factory=list)


class History:
    """Which versions of which notes may have been committed at which tick."""

    def __init__(self) -> None:
        self._ticks = itertools.count()
        self._notes: dict[tuple[UserId, str], _Versions] = {}
        self.latest: tuple[UserId, str] | None = None
        """Whose note of which name was changed last."""

    def tick(self) -> int:
        """The number of a moment later than every one before."""
        return next(self._ticks)

    def begin(self, user: UserId, note: str, version: int, *, hashed: bool = True) -> Write:
        """A change is about to be sent; from now on it may take effect."""
        write = Write(user, note, version, self.tick(), hashed)
        self._add(write)
        return write

    def acknowledge(self, write: Write) -> None:
        """The change has certainly taken effect."""
        self.latest = write.user, write.note
        write.done = min(write.done, self.tick())
        standing = self._versions(write.user, write.note).standing
        _replace([other for other in standing if other is not write], write, standing)

    def settle(self, write: Write) -> None:
        """The change has taken effect by now or never will; nobody knows which."""
        write.done = min(write.done, self.tick())

    def drop(self, write: Write) -> None:
        """The change has certainly not taken effect."""
        versions = self._versions(write.user, write.note)
        versions.by_version[write.version].remove(write)
        if write in versions.standing:
            versions.standing.remove(write)

    def observe(self, user: UserId, note: str, version: int, *, since: int) -> None:
        """The note was read: it said `version` at some moment from tick number `since` on."""
        read = Write(user, note, version, since, hashed=False, done=self.tick())
        standing = self._versions(user, note).standing
        _replace([write for write in standing if write.version != version], read, standing)

    def allows(self, user: UserId, claims: Mapping[str, int], *, first: float, last: float) -> bool:
        """Whether at one moment from `first` to `last` the notes may have said all of this.

        Args:
            claims: a version by note; ABSENT for a note that was not there.
            first: number of the tick from which on, and
            last: number of the tick up to which it may have been.
        """
        spans = [(first, last)]
        for note, version in claims.items():
            writes = self._versions(user, note).by_version.get(version, ())
            spans = [
                (max(begin, write.sent), min(end, write.replaced))
                for begin, end in spans
                for write in writes
                if max(begin, write.sent) <= min(end, write.replaced)
            ]
        return bool(spans)

    def account(self, user: UserId, notes: Collection[str]) -> str:
        """The last writes of these notes, to explain a wrong answer by."""
        return "; ".join(
            f"{note} v{write.version}: sent {write.sent}, seen {write.seen},"
            f" done {write.done}, replaced {write.replaced}"
            for note in notes
            for write in self._last(user, note)
        )

    def _last(self, user: UserId, note: str) -> list[Write]:
        by_version = self._versions(user, note).by_version
        writes = [write for same in by_version.values() for write in same]
        return sorted(writes, key=lambda write: write.sent)[-4:]

    def _add(self, write: Write) -> None:
        versions = self._versions(write.user, write.note)
        versions.by_version[write.version].append(write)
        versions.standing.append(write)

    def _versions(self, user: UserId, note: str) -> _Versions:
        if (user, note) not in self._notes:
            self._notes[user, note] = _Versions()
            self._add(Write(user, note, ABSENT, sent=-1, done=-1))
        return self._notes[user, note]


def _replace(writes: list[Write], winner: Write, standing: list[Write]) -> None:
    """Where a write gives way to `winner`, it stands no longer."""
    for write in writes:
        if write.gives_way_to(winner):
            write.replaced = winner.done
            standing.remove(write)
