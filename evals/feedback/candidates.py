"""Opinions as candidates for golden questions, which a person looks through."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from evals.feedback.score import Given

_ID_DIGITS = 12


def candidate(given: Given) -> dict[str, Any]:
    """A line for questions.jsonl, once somebody has looked at it and taken `review` out.

    An answer that was found good proposes the notes that it cited as gold; one that was not
    proposes none: what should have been found is for the person to say.
    """
    user, feedback = given
    assert feedback.given_at is not None, "it is stored"
    good = feedback.thumb == "up"
    return {
        "id": f"feedback-{feedback.id[:_ID_DIGITS]}",
        "user": user,
        "question": feedback.question,
        "reference": "",
        "gold": sorted(set(feedback.note_ids)) if good else [],
        "review": {
            "thumb": feedback.thumb,
            "comment": feedback.comment,
            "cited": list(feedback.note_ids),
            "answer": feedback.digest,
            "given_at": feedback.given_at.isoformat(timespec="seconds"),
        },
    }


def write_candidates(given: Iterable[Given], path: Path) -> int:
    """Write a candidate for each question, of its latest opinion; returns how many.

    Bad opinions come first: there is most to be learnt from.
    """
    latest = {(user, feedback.question.casefold()): (user, feedback) for user, feedback in given}
    lines = sorted(map(candidate, latest.values()), key=lambda line: line["review"]["thumb"])
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    path.write_text(text, encoding="utf-8")
    return len(lines)
