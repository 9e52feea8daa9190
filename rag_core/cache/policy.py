"""What to do with a cached answer: one pure function."""

from __future__ import annotations

from enum import StrEnum

from rag_core.cache.answers import CachedAnswer
from rag_core.cache.epochs import Epoch


class Decision(StrEnum):
    """What may be done with what the answer cache holds."""

    SERVE = "serve"
    """Nothing has changed since its evidence was seen to stand."""
    CHECK = "check"
    """Retrieve, and decide again with the evidence of today."""
    REVALIDATE = "revalidate"
    """Its evidence was retrieved again and stands: the prompt would be the same."""
    FALL_BACK = "fall back"
    """Its evidence stands, but it is past its soft TTL: only if no provider can answer."""
    MISS = "miss"
    """No cached answer can be served."""


def decide(
    cached: CachedAnswer | None, *, epoch: Epoch | None, evidence: str | None, now: float
) -> Decision:
    """What may be done with `cached`.

    | cached | evidence of today | epoch | age | decision |
    |---|---|---|---|---|
    | none, or past its hard TTL | | | | MISS |
    | yes | not retrieved yet | the same | within its soft TTL | SERVE |
    | yes | not retrieved yet | | | CHECK |
    | yes | the same | | within its soft TTL | REVALIDATE |
    | yes | the same | | past its soft TTL | FALL_BACK |
    | yes | another | | | MISS |

    Args:
        epoch: the user's epoch, read after the request came; None for a user without notes.
        evidence: fingerprint of the evidence retrieved after `epoch` was read; None before.
        now: seconds since the Unix epoch.
    """
    if cached is None or now >= cached.hard_expires_at:
        return Decision.MISS
    fresh = now < cached.soft_expires_at
    if evidence is None:
        return Decision.SERVE if fresh and cached.epoch == epoch else Decision.CHECK
    if evidence != cached.answer.evidence:
        return Decision.MISS
    return Decision.REVALIDATE if fresh else Decision.FALL_BACK
