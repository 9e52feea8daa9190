"""Who asks, by the headers of a request: an API key or a bearer token, and only one of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hmac import compare_digest

from rag_core.access.api_key import ApiKey
from rag_core.access.believed_keys import BelievedKeys
from rag_core.access.credential import Credential, Headers
from rag_core.errors import InvalidCredential, Unauthenticated

VerifyToken = Callable[[str], Awaitable[Credential]]
"""Says whose a bearer token is.

Raises:
    InvalidCredential: it is not believed.
    Unavailable: it cannot be told now.
"""

_NAMES = frozenset((b"authorization", b"x-api-key"))
_HOW = "Send Authorization: Bearer <API key or token>, or X-API-Key: <API key>"


class HeaderAuthenticator:
    """Authenticator for `Authorization: Bearer <key or token>` and `X-API-Key: <key>`.

    Args:
        keys: in force.
        verify_token: None where no tokens are taken.
    """

    def __init__(self, keys: BelievedKeys, verify_token: VerifyToken | None = None) -> None:
        self._keys, self._verify_token = keys, verify_token

    async def __call__(self, headers: Headers) -> Credential:
        """The credential that `headers` carry.

        Raises:
            Unauthenticated: they carry none.
            InvalidCredential: they carry one that is not believed, or several.
            Unavailable: it cannot be told now.
        """
        shown = [each for each in headers.raw if each[0] in _NAMES]
        if not shown:
            raise Unauthenticated(f"no credential came with the request. {_HOW}")
        if len(shown) > 1:
            raise InvalidCredential("more than one credential came with the request")
        ((name, value),) = shown
        text = value.decode("latin-1")
        if name == b"authorization":
            text = _bearer(text)
        if key := ApiKey.parse(text):
            return await self._of_key(key)
        if name != b"authorization" or self._verify_token is None:
            raise InvalidCredential("this is no API key")
        return await self._verify_token(text)

    async def _of_key(self, key: ApiKey) -> Credential:
        issued = await self._keys.find(key.prefix)
        if issued is None or not compare_digest(issued.digest, key.digest):
            raise InvalidCredential("the API key is not known, or not in force any more")
        return issued.credential


def _bearer(authorization: str) -> str:
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() != "bearer" or not text:
        raise InvalidCredential(f"the Authorization header is of another scheme. {_HOW}")
    return text
