"""What every EmbeddingCache does, in memory and on Redis alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rag_core.adapters.redis import RedisClient, RedisEmbeddingCache
from rag_core.cache import EmbeddingCache, embedding_key
from rag_core.domain import DIMENSIONS, Question, UserId

if TYPE_CHECKING:
    from rag_core.domain import Vector


def key_of(user: UserId, text: str = "What is grace?") -> str:
    return embedding_key(user, Question(text), "embedder")


def vector_of(seed: int = 1) -> Vector:
    """A unit vector, with the values that text formats lose."""
    vector = np.random.default_rng(seed).standard_normal(DIMENSIONS).astype(np.float32)
    vector[0], vector[1] = -0.0, 1e-42  # minus zero and a subnormal number
    return vector


async def test_a_vector_comes_back_bit_for_bit(embeddings: EmbeddingCache, user: UserId) -> None:
    await embeddings.put(key_of(user), vector_of())
    found = await embeddings.get(key_of(user))
    assert found is not None
    assert found.dtype == np.float32
    assert found.shape == (DIMENSIONS,)
    assert found.tobytes() == vector_of().tobytes()


async def test_a_row_of_a_batch_comes_back_as_that_row(
    embeddings: EmbeddingCache, user: UserId
) -> None:
    """Rows of a transposed matrix do not lie in memory one number after the other."""
    batch = np.stack([vector_of(1), vector_of(2)], axis=1).T
    await embeddings.put(key_of(user), batch[1])
    found = await embeddings.get(key_of(user))
    assert found is not None
    assert found.tobytes() == vector_of(2).tobytes()


async def test_what_was_never_put_is_not_there(embeddings: EmbeddingCache, user: UserId) -> None:
    assert await embeddings.get(key_of(user)) is None


async def test_users_and_questions_do_not_share_vectors(
    embeddings: EmbeddingCache, user: UserId, other_user: UserId
) -> None:
    await embeddings.put(key_of(user), vector_of())
    assert await embeddings.get(key_of(other_user)) is None
    assert await embeddings.get(key_of(user, "What is hope?")) is None


async def test_size_counts_vectors_and_their_bytes(
    embeddings: EmbeddingCache, user: UserId
) -> None:
    before = await embeddings.size()
    for number in range(3):
        await embeddings.put(key_of(user, f"Question {number}?"), vector_of(number))
    after = await embeddings.size()
    assert before.entries is not None
    assert before.size_bytes is not None
    assert after.entries == before.entries + 3
    assert after.size_bytes == before.size_bytes + 3 * 4 * DIMENSIONS


async def test_bytes_of_another_length_are_a_miss(
    client: RedisClient, user: UserId, subtests: pytest.Subtests
) -> None:
    for value in [b"", b"\x00" * 1535, b"\x00" * 1537, b"[0.1, 0.2]"]:
        with subtests.test(value=value):
            await client.execute("SET", key_of(user), value, "EX", 60)
            assert await RedisEmbeddingCache(client).get(key_of(user)) is None


async def test_a_vector_is_kept_on_the_server_for_its_ttl(
    client: RedisClient, user: UserId
) -> None:
    await RedisEmbeddingCache(client, ttl_s=600).put(key_of(user), vector_of())
    assert 500_000 < await client.execute("PTTL", key_of(user)) <= 600_000


async def test_a_user_who_is_forgotten_has_no_vectors_and_others_have(
    embeddings: EmbeddingCache, user: UserId, other_user: UserId
) -> None:
    for each in (user, other_user):
        await embeddings.put(key_of(each), vector_of())
    await embeddings.forget(user)
    assert await embeddings.get(key_of(user)) is None
    assert await embeddings.get(key_of(other_user)) is not None
