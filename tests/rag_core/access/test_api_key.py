"""API keys: their form, and what is kept of them."""

from __future__ import annotations

import hashlib

import pytest

from rag_core.access import ApiKey


def test_a_key_that_was_issued_is_read_as_itself() -> None:
    key = ApiKey.issue()
    assert ApiKey.parse(key.text) == key
    assert key.text.startswith(f"rag_{key.prefix}_")


def test_no_two_keys_share_a_prefix_or_a_secret() -> None:
    keys = [ApiKey.issue() for _ in range(1_000)]
    assert len({key.prefix for key in keys}) == 1_000
    assert len({key.text.rpartition("_")[2] for key in keys}) == 1_000


def test_the_secret_has_256_bits_and_its_digest_is_sha_256_of_the_whole_key() -> None:
    key = ApiKey.issue()
    assert len(bytes.fromhex(key.text.rpartition("_")[2])) == 32
    assert key.digest == hashlib.sha256(key.text.encode()).digest()


def test_a_key_is_not_shown_where_it_is_printed_by_mistake() -> None:
    key = ApiKey.issue()
    assert key.text not in repr(key)
    assert key.text.rpartition("_")[2] not in str(key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rag__",
        "rag_0123456789ab_" + "0" * 63,
        "rag_0123456789ab_" + "0" * 65,
        "rag_0123456789ab_" + "G" * 64,
        "rag_0123456789AB_" + "0" * 64,
        "rag_0123456789ab_" + "0" * 64 + "\n",
        " rag_0123456789ab_" + "0" * 64,
        "rag_0123456789ab-" + "0" * 64,
        "rag_012345678٣ab_" + "0" * 64,
        "RAG_0123456789ab_" + "0" * 64,
    ],
)
def test_what_has_another_form_is_no_key(text: str) -> None:
    assert ApiKey.parse(text) is None
