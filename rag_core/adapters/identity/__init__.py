"""Bearer tokens of an identity provider, checked with PyJWT."""

from __future__ import annotations

from rag_core.adapters.identity.bearer_tokens import LEEWAY_S, MAX_TOKEN_BYTES, BearerTokens
from rag_core.adapters.identity.key_set import SigningKey, read_key_set
from rag_core.adapters.identity.signing_keys import (
    BELIEVED_S, RETRY_S, REFRESH_S, SigningKeys, open_signing_keys,
)  # fmt: skip

# fmt: off
__all__ = [
    "BELIEVED_S", "LEEWAY_S", "MAX_TOKEN_BYTES", "REFRESH_S", "RETRY_S", "BearerTokens",
    "SigningKey", "SigningKeys", "open_signing_keys", "read_key_set",
]
