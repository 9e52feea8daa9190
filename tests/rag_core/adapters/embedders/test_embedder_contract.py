"""What every embedder promises, the fake one included."""

from __future__ import annotations

import random

import numpy as np
import pytest

from rag_core.domain import DIMENSIONS, Embedder

ODD_TEXTS = [
    "",
    " \n\t ",
    "a",
    "Gen 1:1",
    "Ἐν ἀρχῇ ἦν ὁ λόγος",
    "太初有道",
    "🙏🏽 ✝",
    "naïve café",
    "!" * 3,
    "word " * 2_000,
]


async def test_vectors_are_float32_rows_of_unit_length(
    embedder: Embedder, real_texts: list[str]
) -> None:
    texts = real_texts[:20]

    vectors = await embedder.embed(texts)

    assert vectors.shape == (20, DIMENSIONS)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


async def test_no_texts_give_no_rows(embedder: Embedder) -> None:
    vectors = await embedder.embed([])

    assert vectors.shape == (0, DIMENSIONS)
    assert vectors.dtype == np.float32


async def test_odd_texts_have_unit_vectors_too(embedder: Embedder) -> None:
    vectors = await embedder.embed(ODD_TEXTS)

    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


async def test_a_text_has_the_same_vector_alone_and_in_any_batch(
    embedder: Embedder, real_texts: list[str]
) -> None:
    texts = [*real_texts[:24], *real_texts[-4:], "", "Amen."]
    alone = np.vstack([await embedder.embed([text]) for text in texts])
    dice = random.Random(7)
    for size in (2, 7, 30):
        picked = dice.sample(range(len(texts)), size)

        together = await embedder.embed([texts[index] for index in picked])

        np.testing.assert_allclose(together, alone[picked], atol=1e-5)


async def test_rows_come_in_the_order_of_the_texts(embedder: Embedder) -> None:
    texts = [
        "a long sentence about the covenant with Noah and all flesh",
        "Job",
        "two words",
        "Job",
    ]

    vectors = await embedder.embed(texts)

    np.testing.assert_allclose(vectors[1], vectors[3], atol=1e-6)
    for row, text in zip(vectors, texts, strict=True):
        np.testing.assert_allclose(row, (await embedder.embed([text]))[0], atol=1e-5)


async def test_what_follows_256_word_pieces_is_not_seen(embedder: Embedder) -> None:
    beginning = "grace " * 256

    first, second = await embedder.embed([beginning + "sheep", beginning + "wrath and fire"])

    np.testing.assert_allclose(first, second, atol=1e-6)


async def test_what_comes_late_within_256_word_pieces_is_seen(embedder: Embedder) -> None:
    """The tokenizer's file says 128; a model cut there would give equal vectors."""
    beginning = "grace " * 200

    first, second = await embedder.embed([beginning + "sheep", beginning + "wrath and fire"])

    assert float(first @ second) < 0.99999


async def test_nearer_in_meaning_is_nearer_in_space(embedder: Embedder) -> None:
    question, answer, other = await embedder.embed(
        [
            "How did Noah build the ark?",
            "Noah built the ark as God told him, of gopher wood.",
            "Ruth gleaned in the field of Boaz until evening.",
        ]
    )

    assert float(question @ answer) > float(question @ other) + 0.2


async def test_a_digest_is_a_sha256_in_hex_and_does_not_change(embedder: Embedder) -> None:
    digest = embedder.digest

    assert len(bytes.fromhex(digest)) == 32
    assert embedder.digest == digest


async def test_a_text_is_read_to_the_end_up_to_its_maximum_and_not_beyond(
    embedder: Embedder, subtests: pytest.Subtests
) -> None:
    """What is counted is what is seen: a chunk cut by this count loses nothing."""
    for word in ["grace", "благодать", "恵み", "word,word"]:
        with subtests.test(word=word):
            each = embedder.count_word_pieces(word)
            room = embedder.max_word_pieces - embedder.count_word_pieces("sheep")
            within = f"{word} " * (room // each)
            beyond = f"{word} " * (embedder.max_word_pieces // each + 1)

            short, full, over, further = await embedder.embed(
                [within, within + "sheep", beyond, beyond + "sheep"]
            )

            assert embedder.count_word_pieces(beyond) > embedder.max_word_pieces
            assert float(short @ full) < 0.99999
            np.testing.assert_allclose(over, further, atol=1e-6)
