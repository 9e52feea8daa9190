"""Keys: none can be built without the user it belongs to."""

from __future__ import annotations

import hashlib

from rag_core.cache.epochs import Epoch
from rag_core.domain.question import Question
from rag_core.domain.user import UserId

PREFIX = "rag"


def user_key(user: UserId, kind: str, name: str = "") -> str:
    """`rag:{user}:kind[:name]`; the braces make the user the hash tag of Redis Cluster."""
    return f"{PREFIX}:{{{user}}}:{kind}" + (f":{name}" if name else "")


def answer_key(user: UserId, question: Question, pipeline: str) -> str:
    """Key of the answer to `question` by the pipeline of that digest."""
    return user_key(user, "answer", _hashed(pipeline, question))


def embedding_key(user: UserId, question: Question, embedder: str) -> str:
    """Key of the question's vector by the embedder of that digest."""
    return user_key(user, "embedding", _hashed(embedder, question))


def context_key(user: UserId, epoch: Epoch, question: Question, pipeline: str) -> str:
    """Key of the question's context at `epoch`."""
    return user_key(user, f"context:{epoch}", _hashed(pipeline, question))


def flight_key(user: UserId, evidence: str) -> str:
    """Key of the generation under way on this evidence."""
    return user_key(user, "flight", evidence)


def _hashed(digest: str, question: Question) -> str:
    content = f"{digest}\x00{question.truncated}\x00{question.text.casefold()}"
    return hashlib.sha256(content.encode()).hexdigest()[:40]
