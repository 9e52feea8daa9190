"""`python -m evals claims`: how well checkers tell right claims from wrong ones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

from evals.datasets.golden import load
from evals.measures.measuring_embedder import measuring_embedder
from evals.measures.validity.card import Card
from evals.measures.validity.labelled_claims import LabelledClaim, golden_claims, read_claims
from evals.measures.vectors import Vectors
from evals.project import GOLDEN, project_settings
from evals.validity.card_tables import as_text, card_tables
from evals.validity.checking import all_cards, open_checkers


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
    embedder = await asyncio.to_thread(measuring_embedder, None, settings)
    async with open_checkers(Vectors(embedder), settings, max_usd) as checkers:
        return await all_cards(checkers, claims)
