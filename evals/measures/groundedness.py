"""Groundedness: the share of an answer's sentences that the chunks they cite support."""

from __future__ import annotations

from dataclasses import dataclass

from evals.measures.claims import (
    Claim,
    claims,
    disagreements,
    evidence,
    quoted_in,
    sentence_units,
)
from evals.measures.observations import Observation
from evals.measures.scores import Score, Unscored, share
from evals.measures.vectors import Vectors

SUPPORTS = 0.6
"""Least cosine of a sentence to the best sentence, or pair of adjacent ones, of a cited chunk.

Measured with MiniLM on the golden facts: 95 % of them reach it in the passage that supports them,
2 % in another passage of the same user.
"""


@dataclass(frozen=True, slots=True)
class ClaimSupport:
    """Whether a claim is supported, and why it is or is not."""

    claim: str
    supported: bool
    why: str


async def groundedness(observation: Observation, vectors: Vectors) -> Score:
    """Share of the answer's sentences that are supported by the chunks they cite."""
    answer = observation.answer
    if answer is None:
        return Unscored(observation.failure)
    if answer.declines:
        return Unscored("the answer declines, so it claims nothing")
    supports = await supports_of(observation, vectors)
    supported = sum(support.supported for support in supports)
    return share(supported, len(supports), nothing="the answer has no sentence")


async def supports_of(observation: Observation, vectors: Vectors) -> tuple[ClaimSupport, ...]:
    """The support of each sentence of the answer, in order; none when the call failed."""
    if observation.answer is None:
        return ()
    return tuple([await support_of(claim, vectors) for claim in claims(observation.answer)])


async def support_of(
    claim: Claim, vectors: Vectors, *, threshold: float = SUPPORTS
) -> ClaimSupport:
    """Judge one sentence against what it cites.

    Supported: quoted word for word; or close enough in meaning to a cited sentence, with every
    number and proper name found in what is cited. A sentence that cites nothing is unsupported.
    Close enough is a cosine similarity of `threshold` or more.
    """
    if not claim.citations:
        return ClaimSupport(claim.text, False, "cites nothing")
    if any(quoted_in(claim.text, citation.quote) for citation in claim.citations):
        return ClaimSupport(claim.text, True, "quoted word for word")
    missing = disagreements(claim.text, "\n".join(map(evidence, claim.citations)))
    if missing:
        return ClaimSupport(claim.text, False, f"not in what is cited: {', '.join(missing)}")
    units = [unit for citation in claim.citations for unit in sentence_units(citation.quote)]
    cosine = await vectors.best_cosine(claim.text, units)
    return ClaimSupport(claim.text, cosine >= threshold, f"cosine {cosine:.2f} to what is cited")
