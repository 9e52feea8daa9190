"""POST /feedback: an opinion is kept under the one who gave it, and checked before."""

from __future__ import annotations

import httpx
import pytest

from rag_core.adapters.postgres import Database, PostgresFeedback
from rag_core.domain import UserId
from tests.rag_core.app.served import Served
from tests.rag_core.scene import QUESTION


async def given(served: Served, **changes: object) -> httpx.Response:
    """Feedback on the answer to the question, changed like that."""
    answer = (await served.ask(QUESTION)).json()
    body = {"digest": answer["digest"], "question": QUESTION, "thumb": "up"}
    return await served.client.post("/feedback", json=body | changes)


async def test_an_opinion_is_kept_under_the_answer_and_whoever_gave_it(
    served: Served, database: Database, user: UserId
) -> None:
    reply = await given(served, comment="Just so.", note_ids=["grace"])
    assert (reply.status_code, reply.content) == (204, b"")
    (kept,) = await PostgresFeedback(database).given(user)
    assert (kept.question, kept.thumb, kept.comment) == (QUESTION, "up", "Just so.")
    assert kept.note_ids == ("grace",)
    assert kept.digest == (await served.ask(QUESTION)).json()["digest"], "cached, and still it"
    assert kept in [each for _, each in await PostgresFeedback(database).everybodys(kept.given_at)]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"thumb": "sideways"}, "thumb"),
        ({"digest": "X" * 64}, "digest"),
        ({"comment": "x" * 2_001}, "comment"),
        ({"comment": "a\x00b"}, "comment"),
        ({"question": "x" * 8_001}, "question"),
        ({"note_ids": ["x"] * 51}, "note_ids"),
        ({"note_ids": [""]}, "note_ids"),
        ({"user": "naomi"}, "body"),
    ],
)
async def test_what_cannot_be_kept_is_refused_by_the_name_of_its_field(
    served: Served, changes: dict[str, object], field: str
) -> None:
    reply = await given(served, **changes)
    assert (reply.status_code, reply.json()["field"]) == (422, field)
