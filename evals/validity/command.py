"""`python -m evals claims`: how well checkers tell right claims from wrong ones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from evals.datasets.golden import load
from evals.measures.judge_settings import open_judge
from evals.measures.support import LightChecker, SupportChecker
from evals.measures.validity.card import Card, card
from evals.measures.validity.checkers import CosineChecker, JudgeChecker, ragas_checkers
from evals.measures.validity.labelled_claims import LabelledClaim, golden_claims, read_claims
from evals.measures.validity.verifier_settings import open_verifier
from evals.measures.vectors import Vectors
from evals.project import GOLDEN, project_settings
from evals.validity.card_tables import as_text, card_tables
from rag_core.adapters.embedders import load_embedder
from rag_core.cli import progress_bar
from rag_core.settings import Settings


def print_cards(file: Path | None, *, as_json: bool, max_usd: float) -> None:
    """Print the cards of all checkers on the claims of `file`, or on the golden ones."""
    claims = read_claims(file) if file else golden_claims(load(GOLDEN).claims, "test")
    cards = asyncio.run(_cards(claims, max_usd))
    if as_json:
        print(json.dumps([each.as_dict() for each in cards], indent=2))
    else:
        print(as_text(card_tables(cards)))


async def _cards(claims: Sequence[LabelledClaim], max_usd: float) -> list[Card]:
    settings = project_settings()
    embedder = await asyncio.to_thread(
        load_embedder,
        settings.embedder_model,
        backend=settings.embedder_backend,
        cache_dir=settings.home / "models",
    )
    async with open_checkers(Vectors(embedder), settings, max_usd) as checkers:
        return await all_cards(checkers, claims)


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


@asynccontextmanager
async def open_checkers(
    vectors: Vectors, settings: Settings, max_usd: float
) -> AsyncIterator[list[SupportChecker]]:
    """Every checker there is: verifier and judge only where the environment names them."""
    async with AsyncExitStack() as stack:
        verifier = await stack.enter_async_context(open_verifier())
        judge = await stack.enter_async_context(open_judge(settings.home / "judge", max_usd))
        yield [
            LightChecker(vectors),
            *([verifier] if verifier else []),
            *([JudgeChecker(judge)] if judge else []),
            CosineChecker(vectors),
            *ragas_checkers(vectors),
        ]
