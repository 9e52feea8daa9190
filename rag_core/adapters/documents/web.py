"""Documents fetched from the web: from hosts that the operator names, never from a private address.

A name is looked up once, and what was checked is what is connected to: a name that leads elsewhere
the next time (DNS rebinding) gains nothing. A redirect is checked as the first address was.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Collection
from contextlib import aclosing
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import httpx2

from rag_core.domain.documents import MAX_DOCUMENT_BYTES
from rag_core.errors import InvalidInput

TIMEOUT_S = 20.0
"""For a document as a whole, redirects included."""
MAX_REDIRECTS = 5

_GIVEN_OUT = IPv6Network("2000::/3")

Address = IPv4Address | IPv6Address
"""Of either kind."""
LookUp = Callable[[str, int], Awaitable[list[Address]]]


async def look_up(host: str, port: int) -> list[Address]:
    """All addresses of a host.

    Raises:
        InvalidInput: it has none.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise InvalidInput("URL", f"{host} has no address", "Check the name") from error
    return [ip_address(str(address[0]).partition("%")[0]) for *_, address in found]


def is_public(address: Address) -> bool:
    """Whether anybody may be at the address.

    An IPv4 address in IPv6 is that address; any other must be of the space that is given out
    (IANA's IPv6 global unicast, 2000::/3) and stand for itself: 6to4 and Teredo do not.
    """
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return is_public(address.ipv4_mapped)
        if address not in _GIVEN_OUT or address.sixtofour or address.teredo:
            return False
    return address.is_global and not address.is_multicast


class Web:
    """Fetches documents from `hosts`, or from those below a host that begins with a dot.

    Args:
        hosts: in lower case; none: nothing is fetched.
        look_up: gives the addresses of a host and port.
        may_be_asked: whether an address may be connected to.
    """

    def __init__(
        self,
        hosts: Collection[str],
        *,
        look_up: LookUp = look_up,
        may_be_asked: Callable[[Address], bool] = is_public,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._hosts = hosts
        self._look_up, self._may_be_asked = look_up, may_be_asked
        self._timeout_s = timeout_s

    async def fetch(self, url: str) -> bytes:
        """What is at `url`, followed through `MAX_REDIRECTS`; cut a little above what may be.

        Raises:
            InvalidInput: the host is not allowed, leads to a private address, or cannot be
                reached in time; or what is there is no document.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._follow(url)
        except TimeoutError:
            raise InvalidInput("URL", f"took longer than {self._timeout_s:g} s") from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            problem = f"cannot be fetched: {type(error).__name__}"
            raise InvalidInput("URL", problem, "Check it in a browser") from error

    async def _follow(self, url: str) -> bytes:
        target = httpx2.URL(url)
        async with httpx2.AsyncClient(trust_env=False, timeout=self._timeout_s) as client:
            for _ in range(MAX_REDIRECTS + 1):
                request = await self._request(client, target)
                async with aclosing(await client.send(request, stream=True)) as response:
                    if response.is_redirect:
                        target = target.join(response.headers["location"])
                        continue
                    if response.status_code != 200:
                        raise InvalidInput("URL", f"answers {response.status_code}", "Check it")
                    return await _body(response)
        raise InvalidInput("URL", f"leads on more than {MAX_REDIRECTS} times")

    async def _request(self, client: httpx2.AsyncClient, url: httpx2.URL) -> httpx2.Request:
        """To the one address that was checked, for the host that was asked for."""
        if url.scheme not in ("http", "https") or url.userinfo or not url.host:
            raise InvalidInput("URL", "must be http or https, and hold no password")
        if not self._allows(url.host):
            problem = f"{url.host} is not allowed"
            raise InvalidInput("URL", problem, "The operator names hosts in RAG_INGEST_HOSTS")
        port = url.port or (443 if url.scheme == "https" else 80)
        addresses = await self._look_up(url.host, port)
        if not addresses or not all(map(self._may_be_asked, addresses)):
            raise InvalidInput("URL", f"{url.host} is at a private address")
        return client.build_request(
            "GET",
            url.copy_with(host=str(addresses[0])),
            headers={"host": url.netloc.decode(), "accept-encoding": "identity"},
            extensions={"sni_hostname": url.host},
        )

    def _allows(self, host: str) -> bool:
        return any(
            host == allowed or (allowed.startswith(".") and host.endswith(allowed))
            for allowed in self._hosts
        )


async def _body(response: httpx2.Response) -> bytes:
    content = b""
    async for piece in response.aiter_bytes():
        content += piece
        if len(content) > MAX_DOCUMENT_BYTES:
            break
    return content
