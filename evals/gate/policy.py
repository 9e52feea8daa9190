"""The policy: which figures gate, and by how much each may become worse."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from evals.project import GOLDEN
from rag_core.errors import InvalidInput

POLICY = GOLDEN / "gate.toml"

Better = Literal["higher", "lower"]


class CardRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a measure must be worth before it gates; shares of faults and of right answers."""

    noticed: float
    """Least share of planted faults that fail it."""
    rejected: float
    """Largest share of right answers that fail it."""


class QualityRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A measure that gates. `matters` and `margin` are in its unit, a share for most.

    A drop that is no luck and at least `matters` is a regression; to pass, a drop of `margin` must
    be ruled out. `never_worse`: one question that is worse is a regression by itself. `sparse`: the
    measure has no score where an answer declines, so a missing one is no failure.
    """

    suite: str
    measure: str
    why: str
    margin: float = 0.05
    matters: float = 0.01
    better: Better = "higher"
    unit: Literal["share", "count"] = "share"
    never_worse: bool = False
    sparse: bool = False
    card: CardRule | None = None

    def __post_init__(self) -> None:
        if not 0 < self.matters <= self.margin:
            raise ValueError(f"{self.name}: must have 0 < matters <= margin, got {self.margin!r}")

    @property
    def name(self) -> str:
        """As it is called in a report."""
        return f"{self.measure} ({self.suite})"


class AmountRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A figure of cost or caches; `margin` is the share of the baseline's that it may lose."""

    amount: str
    why: str
    margin: float
    better: Better


class SpeedRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Times of one source. `margin` and `detect` are shares of the baseline's time.

    Slower by more than `margin`, the whole interval too, is a regression; to pass, a slow-down of
    `detect` must be ruled out.
    """

    source: str
    why: str
    margin: float = 0.05
    detect: float = 0.15

    def __post_init__(self) -> None:
        if not 0 < self.margin < self.detect:
            raise ValueError(f"{self.source}: must have 0 < margin < detect, got {self.margin!r}")


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """See golden/gate.toml, where each number has its reason."""

    alpha: float
    """Share of unchanged candidates that may fail by luck."""
    power: float
    """Share of real drops that the smallest detectable one is caught with."""
    scored: float
    """Least share of the questions that must have a score."""
    compared: float
    """Least share of the baseline's questions whose rows are the same in both."""
    hard_break_repeats: int
    """Number of runs, of both, from which a question that always passed may break the gate."""
    blocks: int
    """Least number of pairs of blocks that a speed rests on."""
    notebooks: tuple[str, ...]
    """Those without which a run is not complete."""
    quality: tuple[QualityRule, ...]
    cost: tuple[AmountRule, ...] = ()
    speed: tuple[SpeedRule, ...] = ()

    def __post_init__(self) -> None:
        for name in ("alpha", "power", "scored", "compared"):
            value = getattr(self, name)
            if not 0 < value <= 1:
                raise ValueError(f"{name} must be in (0, 1], got {value!r}")


def read_policy(path: Path = POLICY) -> Policy:
    """The policy in a TOML file.

    Raises:
        InvalidInput: it cannot be read, or a field is missing, unknown or out of range.
    """
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Policy)
    except OSError as error:
        raise InvalidInput(str(path), f"cannot be read: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise InvalidInput(str(path), f"is no policy: {error}", "See golden/gate.toml") from error
