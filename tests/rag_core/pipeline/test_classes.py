"""Classes of questions: each is answered with its own budgets, and from no other's cache."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rag_core.domain import Provenance, Tokenizer, UserId
from rag_core.embedded import StackUrls
from rag_core.settings import Settings
from tests.rag_core.library import long_note
from tests.rag_core.scene import open_scene, settings_for
from tests.rag_core.test_class_evidence import evidence

ANY_HIT: dict[str, Any] = {"min_score": -1.0, "min_answerability": 0.0}
LIST, LOOK_UP = "List all subjects and matters.", "What does sentence number3 speak of?"


def with_list(url: str, tmp_path: Path, **changes: Any) -> Settings:
    """Settings in which a question for a list may have 64 tokens of context, and that is proven."""
    file = evidence(tmp_path, context_tokens=64)
    changes |= ANY_HIT
    return settings_for(url, class_list_context_tokens=64, class_evidence=file, **changes)


async def test_a_class_gets_its_own_budgets_and_the_others_the_usual_ones(
    database_url: str, user: UserId, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    async with open_scene(with_list(database_url, tmp_path), user, tokenizer) as scene:
        await scene.store(long_note())
        await scene.ask(LIST)
        await scene.ask(LOOK_UP)
        few, many = (prompt.context.tokens for prompt in scene.generator.prompts)
        assert few <= 64 < many
        found = await scene.application.pipeline.retrieve(LIST, user)
        assert (found.context.tokens, found.context_tokens) == (few, 64)


async def test_an_answer_of_other_budgets_is_never_served(
    database_url: str, user: UserId, tokenizer: Tokenizer, tmp_path: Path, stack: StackUrls
) -> None:
    shared: dict[str, Any] = {"cache": "redis", "redis_url": stack.redis_url, **ANY_HIT}
    usual = settings_for(database_url, **shared)
    async with open_scene(usual, user, tokenizer) as scene:
        await scene.store(long_note())
        before = [(await scene.ask(each)).provenance for each in (LIST, LOOK_UP)]
    async with open_scene(with_list(database_url, tmp_path, **shared), user, tokenizer) as scene:
        after = [await scene.ask(each) for each in (LIST, LOOK_UP)]
        assert await scene.application.rollout.recall(user).answer(LIST, user) is not None
    assert before == [Provenance.FRESH, Provenance.FRESH]
    assert [each.provenance for each in after] == [Provenance.FRESH, Provenance.CACHED]


async def test_only_a_class_that_is_set_and_proven_changes_the_digest(
    database_url: str, user: UserId, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    usual = settings_for(database_url, **ANY_HIT)
    unproven = usual.model_copy(update={"class_list_context_tokens": 64})
    same = usual.model_copy(update={"class_list_context_tokens": usual.context_tokens})
    proven = with_list(database_url, tmp_path)
    digests = []
    for settings in (usual, unproven, same, proven):
        async with open_scene(settings, user, tokenizer) as scene:
            digests.append(scene.application.pipeline.digest)
    assert digests[0] == digests[1] == digests[2] != digests[3]
