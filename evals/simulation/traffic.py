"""Request traffic: who asks which question when, and when notes change.

A trace is two logs in time order: requests (time, user, question) and edits (time, user, note).
It is generated here from named assumptions, or recorded by the app (see `trace_file`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from rag_core.errors import InvalidInput

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

DAY_S = 86_400.0
"""24 hours."""
UNKNOWN_NOTE = -1
"""The edit log does not say which note changed."""


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """What we suppose about the people who ask; every default is a guess to be varied.

    Raises:
        InvalidInput: a value is out of range; names the field and the value.
    """

    users: int = 100
    days: float = 7.0
    requests_per_user_day: float = 10.0
    daily_amplitude: float = 0.6
    """Swing of the daily cycle as a share: 0 is flat, 1 goes down to nothing at night."""
    peak_hour: float = 20.0
    """Hour of the day (0 to 24) with the most traffic, requests and edits alike."""
    questions_per_user: int = 150
    """Questions that a user asks again and again."""
    zipf_s: float = 1.1
    """Popularity of the r-th of those questions is proportional to r ** -zipf_s."""
    new_question_rate: float = 0.1
    """Share of requests whose question is asked only this once."""
    notes_per_user: int = 1_000
    edits_per_user_day: float = 0.2
    bursts_per_day: float = 0.0
    """Moments (a service ends) when many ask at once; over all users."""
    burst_size: int = 0
    """Requests a burst adds, each by a user drawn at random."""
    burst_minutes: float = 10.0
    seed: int = 7

    def __post_init__(self) -> None:
        for name in ("users", "questions_per_user", "notes_per_user"):
            self._require(name, at_least=1)
        for name in ("days", "burst_minutes"):
            self._require(name, above=0)
        for name in ("requests_per_user_day", "edits_per_user_day", "bursts_per_day"):
            self._require(name, at_least=0)
        for name in ("zipf_s", "burst_size", "seed"):
            self._require(name, at_least=0)
        for name in ("daily_amplitude", "new_question_rate"):
            self._require(name, at_least=0, at_most=1)
        self._require("peak_hour", at_least=0, at_most=24)

    def _require(
        self,
        name: str,
        *,
        at_least: float = -np.inf,
        above: float = -np.inf,
        at_most: float = np.inf,
    ) -> None:
        value = getattr(self, name)
        if np.isfinite(value) and at_least <= value <= at_most and value > above:
            return
        limits = [f">= {at_least:g}"] if np.isfinite(at_least) else [f"> {above:g}"]
        limits += [f"<= {at_most:g}"] if np.isfinite(at_most) else []
        raise InvalidInput(name, f"must be {' and '.join(limits)}, got {value!r}")


@dataclass(frozen=True, eq=False)
class Traffic:
    """A request trace and a change log, both in time order.

    `time_s` float64[n], `user` and `question` int64[n]; a question's number is its user's own.
    `edit_time_s` float64[m], `edit_user` and `edit_note` int64[m]; -1 is an unnamed note.
    `user_names` and `question_names` give the recorded ids behind the numbers; empty for
    generated traffic, where the numbers are the ids.

    Raises:
        InvalidInput: lengths differ, a log is not in time order, or an id is negative.
    """

    time_s: Floats
    user: Ints
    question: Ints
    edit_time_s: Floats
    edit_user: Ints
    edit_note: Ints
    user_names: Sequence[str] = ()
    question_names: Sequence[str] = ()

    def __post_init__(self) -> None:
        _require_log("requests", self.time_s, self.user, self.question)
        _require_log("edits", self.edit_time_s, self.edit_user, self.edit_note)
        if min(self.user.min(initial=0), self.question.min(initial=0)) < 0:
            raise InvalidInput("requests", "a user or question number is negative")

    def __len__(self) -> int:
        return len(self.time_s)

    @property
    def span_s(self) -> float:
        """Seconds from the first request to the last."""
        return float(self.time_s[-1] - self.time_s[0]) if len(self) else 0.0

    def of_users(self, users: Sequence[int] | Ints) -> Traffic:
        """The whole trace of the users with these numbers (int64[k]), which they keep.

        Draws made from the numbers stay the same, too.
        """
        asks, edits = np.isin(self.user, users), np.isin(self.edit_user, users)
        return self._keep(asks, edits)

    def until(self, end_s: float) -> Traffic:
        """The requests and edits before `end_s`."""
        return self._keep(self.time_s < end_s, self.edit_time_s < end_s)

    def _keep(self, asks: NDArray[np.bool_], edits: NDArray[np.bool_]) -> Traffic:
        return Traffic(
            self.time_s[asks],
            self.user[asks],
            self.question[asks],
            self.edit_time_s[edits],
            self.edit_user[edits],
            self.edit_note[edits],
            self.user_names,
            self.question_names,
        )


def _require_log(name: str, time_s: Floats, *columns: Ints) -> None:
    if any(len(column) != len(time_s) for column in columns):
        raise InvalidInput(name, "columns differ in length")
    if not np.isfinite(time_s).all() or (np.diff(time_s) < 0).any():
        raise InvalidInput(name, "times must be finite and ascending")


def generate(assumptions: Assumptions) -> Traffic:
    """Draw a trace: Poisson requests and edits on a daily cycle, Zipf questions, bursts.

    The same assumptions give the same trace. Two million rows take about a second.
    """
    a = assumptions
    rng = np.random.default_rng(a.seed)
    time_s = np.sort(np.concatenate([_arrivals(a, a.requests_per_user_day, rng), _bursts(a, rng)]))
    user = rng.integers(a.users, size=len(time_s))
    edit_time_s = np.sort(_arrivals(a, a.edits_per_user_day, rng))
    return Traffic(
        time_s=time_s,
        user=user,
        question=_questions(a, user, rng),
        edit_time_s=edit_time_s,
        edit_user=rng.integers(a.users, size=len(edit_time_s)),
        edit_note=rng.integers(a.notes_per_user, size=len(edit_time_s)),
    )


def zipf_shares(count: int, s: float) -> Floats:
    """Popularity of `count` questions, most popular first; float64[count] that sums to 1."""
    weights = np.arange(1, count + 1, dtype=np.float64) ** -s
    shares: Floats = weights / weights.sum()
    return shares


def _arrivals(a: Assumptions, per_user_day: float, rng: np.random.Generator) -> Floats:
    # Given their number, the points of a Poisson process are independent draws of its density.
    count = rng.poisson(a.users * per_user_day * a.days)
    return _times_of_day_cycle(a, rng.random(count))


def _times_of_day_cycle(a: Assumptions, uniform: Floats) -> Floats:
    """Map uniforms on [0, 1) to seconds whose density is 1 + a cos(2 pi (hour - peak) / 24)."""
    steps = int(np.ceil(a.days * 24 * 60)) + 1
    grid_s = np.linspace(0.0, a.days * DAY_S, steps)
    phase = 2 * np.pi / DAY_S
    peak_s = a.peak_hour * 3_600.0
    mass = grid_s + a.daily_amplitude / phase * np.sin(phase * (grid_s - peak_s))
    mass -= mass[0]
    times: Floats = np.interp(uniform * mass[-1], mass, grid_s)
    return times


def _bursts(a: Assumptions, rng: np.random.Generator) -> Floats:
    starts = _times_of_day_cycle(a, rng.random(rng.poisson(a.bursts_per_day * a.days)))
    offsets = rng.random((len(starts), a.burst_size)) * a.burst_minutes * 60.0
    times: Floats = (starts[:, None] + offsets).ravel()
    return times


def _questions(a: Assumptions, user: Ints, rng: np.random.Generator) -> Ints:
    bounds = zipf_shares(a.questions_per_user, a.zipf_s).cumsum()
    question = np.searchsorted(bounds, rng.random(len(user)), side="right").astype(np.int64)
    question = np.minimum(question, a.questions_per_user - 1)  # rounding in the last bound
    new = np.flatnonzero(rng.random(len(user)) < a.new_question_rate)
    question[new] = a.questions_per_user + _ordinal_within(user[new])
    return question


def _ordinal_within(group: Ints) -> Ints:
    """For each row, how many earlier rows have the same group; int64[n]."""
    order = np.argsort(group, kind="stable")
    ranked = group[order]
    first = np.searchsorted(ranked, ranked, side="left")
    ordinal = np.empty(len(group), dtype=np.int64)
    ordinal[order] = np.arange(len(group)) - first
    return ordinal
