"""The pipeline's digest: another for every setting that may change an answer, and for no other."""

from __future__ import annotations

from rag_core.adapters.postgres import IndexKind, index_vectors
from rag_core.domain import Tokenizer, UserId
from tests.rag_core.pipeline.leaking_generator import LeakingGenerator
from tests.rag_core.scene import open_scene, settings_for

CHANGES: list[dict[str, object]] = [
    {"top_k": 6},
    {"min_score": 0.21},
    {"question_tokens": 151},
    {"context_tokens": 1201},
    {"output_tokens": 401},
    {"search_mode": "lexical"},
    {"search_mode": "dense"},
    {"lexical_weight": 0.01},
    {"min_answerability": 0.9},
    {"search_method": "hnsw"},
    {"search_method": "hnsw", "ef_search": 101},
    {"search_method": "hnsw", "exact_up_to": 7},
    {"chunk_tokens": 61},
    {"chunk_overlap_tokens": 11},
]


async def test_every_setting_that_may_change_an_answer_changes_the_pipelines_digest(
    own_database: str, user: UserId, tokenizer: Tokenizer
) -> None:
    await index_vectors(own_database, IndexKind.HNSW)
    digests = []
    for change in [{}, *CHANGES]:
        async with open_scene(settings_for(own_database, **change), user, tokenizer) as scene:
            digests.append(scene.application.pipeline.digest)
    async with open_scene(
        settings_for(own_database), user, tokenizer, generator=LeakingGenerator()
    ) as scene:
        digests.append(scene.application.pipeline.digest)
    assert len(set(digests)) == len(CHANGES) + 2


async def test_settings_that_change_no_answer_leave_the_digest_alone(
    database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    digests = set()
    for change in ({}, {"answer_soft_ttl_s": 60}, {"database_pool_size": 3}):
        async with open_scene(settings_for(database_url, **change), user, tokenizer) as scene:
            digests.add(scene.application.pipeline.digest)
    assert len(digests) == 1
