"""Who asks: the credential that came with a request, and whether it can be believed."""

from __future__ import annotations

from rag_core.access.api_key import ApiKey, IssuedKey, KeyRecord, KeyStore
from rag_core.access.authenticator import HeaderAuthenticator, VerifyToken
from rag_core.access.believed_keys import BELIEVED_S, IDLE_S, BelievedKeys
from rag_core.access.credential import Authenticator, Credential, Headers

# fmt: off
__all__ = [
    "BELIEVED_S", "IDLE_S", "ApiKey", "Authenticator", "BelievedKeys", "Credential",
    "HeaderAuthenticator", "Headers", "IssuedKey", "KeyRecord", "KeyStore", "VerifyToken",
]
