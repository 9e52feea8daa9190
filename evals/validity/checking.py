"""Every checker there is, put to the same claims."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from evals.measures.judge_settings import open_judge
from evals.measures.support import SupportChecker, opened_light_checker
from evals.measures.support_nearest import embed_pairs
from evals.measures.validity.card import Card, card
from evals.measures.validity.checkers import CosineChecker, JudgeChecker, ragas_checkers
from evals.measures.validity.labelled_claims import LabelledClaim
from evals.measures.validity.verifier_settings import open_verifier
from evals.measures.vectors import Vectors
from rag_core.cli import progress_bar
from rag_core.settings import Settings


async def embed_claims(vectors: Vectors, claims: Sequence[LabelledClaim]) -> None:
    """Embed at once, on all cores, what checkers would embed pair by pair."""
    await embed_pairs([(claim.claim, claim.source) for claim in claims], vectors)


async def all_cards(
    checkers: Sequence[SupportChecker], claims: Sequence[LabelledClaim], *, seed: int = 0
) -> list[Card]:
    """A card for each checker, in their order."""
    cards = []
    with progress_bar(len(checkers), "check claims", "checker") as bar:
        for checker in checkers:
            cards.append(await card(checker, claims, seed=seed))
            bar.update()
    return cards


def in_use(checkers: Sequence[SupportChecker]) -> SupportChecker:
    """The one that measures answers: the verifier where there is one, else the light one."""
    return checkers[0]


@asynccontextmanager
async def open_checkers(
    vectors: Vectors, settings: Settings, max_usd: float
) -> AsyncIterator[list[SupportChecker]]:
    """Every checker there is, the one in use first; verifier and judge only where named."""
    async with AsyncExitStack() as stack:
        verifier = await stack.enter_async_context(open_verifier())
        judge = await stack.enter_async_context(open_judge(settings.home / "judge", max_usd))
        yield [
            *([verifier] if verifier else []),
            stack.enter_context(opened_light_checker(vectors, settings)),
            *([JudgeChecker(judge)] if judge else []),
            CosineChecker(vectors),
            *ragas_checkers(vectors),
        ]
