"""Groundedness: the share of an answer's sentences that the chunks they cite support."""

from __future__ import annotations

from dataclasses import dataclass

from evals.measures.claims import Claim, claims, evidence
from evals.measures.observations import Observation
from evals.measures.quoting import stands_in
from evals.measures.scores import Score, Unscored, share
from evals.measures.support import SupportChecker


@dataclass(frozen=True, slots=True)
class ClaimSupport:
    """Whether a claim is supported, and why it is or is not."""

    claim: str
    supported: bool
    why: str


async def groundedness(observation: Observation, checker: SupportChecker) -> Score:
    """Share of the answer's sentences that are supported by the chunks they cite."""
    answer = observation.answer
    if answer is None:
        return Unscored(observation.failure)
    if answer.declines:
        return Unscored("the answer declines, so it claims nothing")
    supports = await supports_of(observation, checker)
    supported = sum(support.supported for support in supports)
    return share(supported, len(supports), nothing="the answer has no sentence")


def quoted(observation: Observation) -> Score:
    """Share of the answer's sentences that stand word for word in a chunk they cite.

    No merit of its own: it says how much of groundedness was earned by copying.
    """
    answer = observation.answer
    if answer is None:
        return Unscored(observation.failure)
    if answer.declines:
        return Unscored("the answer declines, so it claims nothing")
    made = claims(answer)
    return share(sum(map(_is_quoted, made)), len(made), nothing="the answer has no sentence")


async def supports_of(
    observation: Observation, checker: SupportChecker
) -> tuple[ClaimSupport, ...]:
    """The support of each sentence of the answer, in order; none when the call failed."""
    if observation.answer is None:
        return ()
    return tuple([await support_of(claim, checker) for claim in claims(observation.answer)])


async def support_of(claim: Claim, checker: SupportChecker) -> ClaimSupport:
    """Judge one sentence against what it cites.

    Supported: quoted word for word, or given the checker's threshold or more. A sentence that
    cites nothing is unsupported.
    """
    if not claim.citations:
        return ClaimSupport(claim.text, False, "cites nothing")
    if _is_quoted(claim):
        return ClaimSupport(claim.text, True, "quoted word for word")
    source = "\n".join(map(evidence, claim.citations))
    (score,) = await checker.scores([(claim.text, source)])
    supported = score >= checker.threshold
    return ClaimSupport(claim.text, supported, f"{checker.name} check: {score:.2f}")


def _is_quoted(claim: Claim) -> bool:
    return any(stands_in(claim.text, citation.quote) for citation in claim.citations)
