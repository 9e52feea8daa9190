"""A trace made ready for simulation: requests sorted by question, edits turned into epochs.

Whether an edit changes what an answer rests on is a model: an answer rests on a few of the
user's notes, each edit of which may change it, and any other edited note may newly rank among them.
All draws are hashes of (seed, user,
question, ...), so that a trace cut down to some users keeps the same evidence for them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evals.simulation.traffic import UNKNOWN_NOTE, Floats, Ints, Traffic
from rag_core.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceModel:
    """What an edit does to the evidence of the user's answers.

    Raises:
        InvalidInput: a value is out of range; names the field and the value.
    """

    notes_per_user: int = 1_000
    evidence_notes: int = 5
    """Notes an answer rests on; top_k of the pipeline is 5."""
    enter_probability: float | None = None
    """Chance that an edited note newly enters a question's evidence. None supposes that it
    lands anywhere in the ranking with equal chance: evidence_notes / notes_per_user."""
    touch_probability: float = 1.0
    """Chance that an edit of a note that an answer rests on changes the answer's evidence."""
    seed: int = 7

    def __post_init__(self) -> None:
        if not 0 <= self.touch_probability <= 1:
            raise InvalidInput(
                "touch_probability", f"must be in [0, 1], got {self.touch_probability!r}"
            )
        if not 1 <= self.evidence_notes <= self.notes_per_user:
            raise InvalidInput(
                "evidence_notes",
                f"must be in [1, notes_per_user = {self.notes_per_user}], "
                f"got {self.evidence_notes!r}",
            )
        if not 0 <= self.entering <= 1:
            raise InvalidInput(
                "enter_probability", f"must be in [0, 1], got {self.enter_probability!r}"
            )

    @property
    def entering(self) -> float:
        """Probability that an edited note newly enters a question's evidence."""
        if self.enter_probability is not None:
            return self.enter_probability
        return self.evidence_notes / self.notes_per_user

    @property
    def change_probability(self) -> float:
        """Chance that one edit of a note drawn at random changes one question's evidence."""
        touched = self.touch_probability * self.evidence_notes / self.notes_per_user
        return 1 - (1 - touched) * (1 - self.entering)


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """Requests in (user, question, time) order, with the state of the notes at each.

    All arrays are int64[n] unless said otherwise. An edit at the very time of a request comes
    before it.
    """

    traffic: Traffic = field(repr=False)
    order: Ints
    """Row of the trace for each sorted request; it doubles as the request's rank in time."""
    key: Ints
    """Dense number of (user, question), ascending."""
    epoch: Ints
    """Changes, within a user, with every edit."""
    version: Ints
    """Changes, within a key, when its evidence has changed since the request before."""
    next_edit_s: Floats
    """When the user's notes change next; infinity if never. float64[n]."""

    @property
    def time_s(self) -> Floats:
        """Time of each sorted request; float64[n]."""
        return self.traffic.time_s[self.order]


def prepare(traffic: Traffic, model: EvidenceModel | None = None) -> Timeline:
    """Sort a trace once, for any number of settings to be simulated on it.

    Raises:
        InvalidInput: the trace has no requests.
    """
    if not len(traffic):
        raise InvalidInput("traffic", "holds no requests", "Raise the days or the request rate")
    code = traffic.user * (traffic.question.max() + 1) + traffic.question
    order = np.argsort(code, kind="stable")
    first = np.diff(code[order], prepend=-1) != 0
    epoch, next_edit_s = _epochs(traffic, order)
    changed = _Changes(traffic, model or EvidenceModel(), order, first, epoch).flags()
    return Timeline(
        traffic=traffic,
        order=order,
        key=np.cumsum(first) - 1,
        epoch=epoch,
        version=np.cumsum(changed),
        next_edit_s=next_edit_s,
    )


def _edits_until(traffic: Traffic, rows: Ints) -> Ints:
    """How many edits of anyone came no later than each request; int64[n]."""
    return np.searchsorted(traffic.edit_time_s, traffic.time_s[rows], side="right")


def _epochs(traffic: Traffic, order: Ints) -> tuple[Ints, Floats]:
    """Position of each request among the edits sorted by (user, time), and the next edit's time."""
    edits = len(traffic.edit_time_s)
    by_user = np.argsort(traffic.edit_user, kind="stable")
    # One searchsorted over whole numbers (user, rank in time) does all users at once.
    placed = traffic.edit_user[by_user] * (edits + 1) + by_user
    user = traffic.user[order]
    epoch = np.searchsorted(placed, user * (edits + 1) + _edits_until(traffic, order))
    next_user = np.append(traffic.edit_user[by_user], -1)[epoch]
    next_time = np.append(traffic.edit_time_s[by_user], np.inf)[epoch]
    return epoch, np.where(next_user == user, next_time, np.inf)


@dataclass(frozen=True, slots=True, eq=False)
class _Changes:
    """Works out between which consecutive requests of a key its evidence changed."""

    traffic: Traffic
    model: EvidenceModel
    order: Ints
    first: NDArray[np.bool_]
    """Marks the first request of each key."""
    epoch: Ints

    def flags(self) -> NDArray[np.bool_]:
        """True where the evidence differs from that of the key's request before; bool[n]."""
        edits = np.diff(self.epoch, prepend=0)
        # Only gaps with an edit of the user in them can matter: few, where edits are rare.
        gaps = np.flatnonzero((edits > 0) & ~self.first)
        changed = np.zeros(len(self.first), dtype=np.bool_)
        changed[gaps] = self._touched(gaps) | self._entered(gaps, edits[gaps])
        return changed

    def _touched(self, gaps: Ints) -> NDArray[np.bool_]:
        """Whether an edit in the gap changed one of the notes that the answer rests on for it."""
        t, model = self.traffic, self.model
        user, question = t.user[self.order[gaps]], t.question[self.order[gaps]]
        edits = len(t.edit_time_s)
        slot = t.edit_user * model.notes_per_user + self._edited_notes()
        by_slot = np.argsort(slot, kind="stable")
        placed = slot[by_slot] * (edits + 1) + by_slot
        before = _edits_until(t, self.order[gaps - 1])
        after = _edits_until(t, self.order[gaps])
        touching = np.zeros(len(gaps), dtype=np.int64)
        for place in range(model.evidence_notes):
            note = self._evidence_note(user, question, place)
            base = (user * model.notes_per_user + note) * (edits + 1)
            known, now = np.searchsorted(placed, np.stack([base + before, base + after]))
            touching += now - known
        uniform = hashed_uniform(model.seed + 2, user, question, self._since_first(gaps))
        return uniform < 1 - (1 - model.touch_probability) ** touching

    def _evidence_note(self, user: Ints, question: Ints, place: int) -> Ints:
        # One note from each of k equal strata: distinct without rejection, even in the mean.
        uniform = hashed_uniform(self.model.seed, user, question, np.full_like(user, place))
        strata = (place + uniform) * self.model.notes_per_user / self.model.evidence_notes
        return np.minimum(strata.astype(np.int64), self.model.notes_per_user - 1)

    def _edited_notes(self) -> Ints:
        t, notes = self.traffic, self.model.notes_per_user
        moment = t.edit_time_s.view(np.int64)
        drawn = (hashed_uniform(self.model.seed, t.edit_user, moment) * notes).astype(np.int64)
        return np.where(t.edit_note == UNKNOWN_NOTE, drawn, t.edit_note % notes)

    def _entered(self, gaps: Ints, edits: Ints) -> NDArray[np.bool_]:
        """Whether at least one of the gap's edits brought its note into the evidence."""
        t = self.traffic
        rows = self.order[gaps]
        since_first = self._since_first(gaps)
        uniform = hashed_uniform(self.model.seed + 1, t.user[rows], t.question[rows], since_first)
        return uniform < 1 - (1 - self.model.entering) ** edits

    def _since_first(self, gaps: Ints) -> Ints:
        """How many requests of its key came before each."""
        firsts = np.maximum.accumulate(np.where(self.first, np.arange(len(self.first)), 0))
        return gaps - firsts[gaps]


def hashed_uniform(seed: int, *numbers: Ints) -> Floats:
    """A uniform on [0, 1) that depends on the seed and the numbers only; float64[n]."""
    columns = pd.DataFrame(dict(enumerate(numbers))).assign(seed=seed)
    # Hashed once more: a row's hash ends in small products, which mix its high bits too little.
    hashed = pd.util.hash_array(pd.util.hash_pandas_object(columns, index=False).to_numpy())
    uniform: Floats = (hashed >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return uniform
