"""How much a profile simulates, replays and edits."""

from __future__ import annotations

from dataclasses import dataclass

from evals.simulation.traffic import DAY_S
from rag_core.errors import InvalidInput

_HOUR_S = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much is simulated, replayed and edited."""

    assumed_users: int
    """At most so many users of the traffic as assumed; more change no rate."""
    corner_requests: int
    """Requests, about, of every other plausible traffic."""
    answer_ttls_s: tuple[float, ...]
    embedding_ttls_s: tuple[float, ...]
    context_ttls_s: tuple[float, ...]
    replayed_requests: int
    agreement_ttls_s: tuple[float, ...]
    agreement_users: int
    edited_users: int
    """Golden users whose notes are edited, at most."""
    edited_questions: int
    """Questions of each of them whose notes are edited, at most."""


SCALES = {
    "smoke": Scale(
        assumed_users=50,
        corner_requests=3_000,
        answer_ttls_s=(_HOUR_S, 6 * _HOUR_S, DAY_S, 7 * DAY_S, 28 * DAY_S),
        embedding_ttls_s=(DAY_S, 7 * DAY_S, 28 * DAY_S),
        context_ttls_s=(600.0, _HOUR_S, 6 * _HOUR_S),
        replayed_requests=500,
        agreement_ttls_s=(6 * _HOUR_S, DAY_S, 7 * DAY_S),
        agreement_users=1,
        edited_users=1,
        edited_questions=6,
    ),
    "full": Scale(
        assumed_users=100,
        corner_requests=8_000,
        answer_ttls_s=tuple(d * DAY_S for d in (1 / 24, 0.25, 1, 3, 7, 14, 28)),
        embedding_ttls_s=(DAY_S, 7 * DAY_S, 28 * DAY_S),
        context_ttls_s=(600.0, _HOUR_S, 6 * _HOUR_S),
        replayed_requests=2_000,
        agreement_ttls_s=tuple(d * DAY_S for d in (1 / 24, 0.25, 1, 3, 7)),
        agreement_users=2,
        edited_users=6,
        edited_questions=8,
    ),
}


def scale(profile: str) -> Scale:
    """How much `profile` measures.

    Raises:
        InvalidInput: no such profile.
    """
    if profile not in SCALES:
        raise InvalidInput("profile", f"must be one of {', '.join(SCALES)}, got {profile!r}")
    return SCALES[profile]
