"""What edits of golden notes did to the evidence of answers, and what is said of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import pandas as pd

from evals.cache.edited_notes import Edit
from evals.simulation.plausible import MeasuredEvidence
from evals.stats.intervals import Estimate, exact_interval, ratio_of_sums
from rag_core.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class EditOutcome:
    """One question asked again after one edit."""

    user: str
    question: str
    note: str
    kind: Edit
    rested_on: int
    """Number of notes that the answer rested on before."""
    touched: bool
    """Whether the edited note was one of them."""
    changed: bool
    """Whether the evidence fingerprint is another one now."""


@dataclass(frozen=True, slots=True)
class EditStudy:
    """Every question after every edit.

    Raises:
        InvalidInput: no edit touched an answer's notes, or each of them did.
    """

    outcomes: tuple[EditOutcome, ...]

    def __post_init__(self) -> None:
        if {each.touched for each in self.outcomes} != {True, False}:
            raise InvalidInput(
                "edits", "need some to notes that answers rest on, and some to others"
            )

    @property
    def table(self) -> pd.DataFrame:
        """A row per outcome, with its fields as columns."""
        return pd.DataFrame([asdict(each) for each in self.outcomes])

    @property
    def evidence(self) -> MeasuredEvidence:
        """The shares that the simulator takes, and on how many notes an answer rests."""
        table = self.table
        notes = table.groupby(["user", "question"])["rested_on"].first().mean()
        return MeasuredEvidence(
            touch=changed_share(table[table["touched"]]),
            enter=changed_share(table[~table["touched"]]),
            notes=max(1, round(float(notes))),
        )

    def by_kind(self) -> pd.DataFrame:
        """A row per kind of edit and whether the answer rested on the note.

        Columns: answer rests on the note, asked again, changed, share, low, high.
        """
        rows = []
        for (kind, touched), group in self.table.groupby(["kind", "touched"]):
            share = changed_share(group)
            rows.append(
                {
                    "edit": str(kind), "answer rests on the note": "yes" if touched else "no",
                    "asked again": len(group), "changed": int(group["changed"].sum()),
                    "share": share.value, "low": share.low, "high": share.high,
                }
            )  # fmt: skip
        return pd.DataFrame(rows).set_index("edit")


def changed_share(outcomes: pd.DataFrame) -> Estimate:
    """Share whose evidence changed, with its 95 % interval over edited notes.

    `outcomes` has the columns of `EditStudy.table`.

    What one note's edits did hangs together, so whole notes are resampled. Where all or none
    changed, the exact interval over edits stands instead, as if each were independent.
    """
    notes = outcomes.groupby(["user", "note"])["changed"].agg(["sum", "count"])
    changed, asked = notes["sum"].to_numpy(dtype=float), notes["count"].to_numpy(dtype=float)
    share = changed.sum() / asked.sum()
    if share in (0, 1):
        edits = len(outcomes[["user", "note", "kind"]].drop_duplicates())
        low, high = exact_interval(edits if share else 0, edits)
        return Estimate(float(share), low, high)
    return ratio_of_sums(changed, asked)
