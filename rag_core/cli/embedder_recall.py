"""What two embedders find of the same questions, as a few lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag_core.cli.progress import progress_bar
from rag_core.note_finding import compare

if TYPE_CHECKING:
    from rag_core.bootstrap import Application
    from rag_core.cli.answered_questions import AnsweredQuestions
    from rag_core.domain.paired_shares import PairedShares, Share
    from rag_core.domain.ranking import Embedder
    from rag_core.settings import Settings


async def recall_of_both(
    app: Application, settings: Settings, new: Embedder, asked: AnsweredQuestions
) -> str:
    """Asks both; raises `DatabaseUnavailable` where the store cannot be reached."""
    from rag_core.bootstrap.note_finding import note_finder

    if not asked.questions:
        return "no notes to ask for: neither recall was measured"
    old_finder, new_finder = (note_finder(settings, app, each) for each in (app.embedder, new))
    with progress_bar(len(asked.questions), "ask both", "question") as bar:
        shares = await compare(old_finder, new_finder, asked.questions, progress=bar.update)
    return f"{asked.described}\n{_told(shares)}\n  {asked.caution}"


def _told(shares: PairedShares) -> str:
    gain = shares.gain
    points = [f"{100 * value:+.1f}" for value in (gain.value, gain.low, gain.high)]
    return (
        f"  old        {_share(shares.first, shares.both + shares.first_only, shares.n)}\n"
        f"  new        {_share(shares.second, shares.both + shares.second_only, shares.n)}\n"
        f"  new - old  {points[0]} points ({points[1]} to {points[2]}):"
        f" the new alone found {shares.second_only}, the old alone {shares.first_only},"
        f" both {shares.both}, neither {shares.neither}\n"
        "  95 % intervals, Wilson's and Newcombe's for pairs; exact search by both"
    )


def _share(share: Share, count: int, n: int) -> str:
    return f"{share.value:6.1%} ({share.low:.1%} to {share.high:.1%}), {count} of {n}"
