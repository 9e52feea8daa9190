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
        authorizations, shown = headers.getlist("authorization"), headers.getlist("x-api-key")
        if not authorizations and not shown:
            raise Unauthenticated(f"no credential came with the request. {_HOW}")
        if len(authorizations) + len(shown) > 1:
            raise InvalidCredential("more than one credential came with the request")
        text = shown[0] if shown else _bearer(authorizations[0])
        if key := ApiKey.parse(text):
            return await self._of_key(key)
        if shown or self._verify_token is None:
            raise InvalidCredential("this is no API key")
        return await self._verify_token(text)

    async def _of_key(self, key: ApiKey) -> Credential:
        issued = await self._keys.find(key.prefix)
        if issued is None or not compare_digest(issued.digest, key.digest):
            raise InvalidCredential("the API key is not known, or not in force any more")
        return Credential(issued.user, issued.plan)


def _bearer(authorization: str) -> str:
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() != "bearer" or not text:
        raise InvalidCredential(f"the Authorization header is of another scheme. {_HOW}")
    return text
