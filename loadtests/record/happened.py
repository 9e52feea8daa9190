"""A trouble that befell a run."""

from __future__ import annotations

import msgspec


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """A trouble as it was: seconds are from the load's begin.

    `back_s` is when the victim's place was taken again; None where it never was.
    """

    victim: str
    begun_s: float
    back_s: float | None
