"""GET / and the files beside it: the page on which people ask; it knows no user and no note."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response

from rag_core.app.entity_tag import entity_tag, is_known
from rag_core.errors import NotFound

FOLDER = "/page/"

_MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""By the ends of the names; what ends otherwise is not served."""

_POLICY = "; ".join(
    (
        "default-src 'none'",
        *("script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'"),
        *("base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"),
        # No text becomes markup, not even by mistake: the browser refuses innerHTML and its kin.
        *("require-trusted-types-for 'script'", "trusted-types 'none'"),
    )
)

_HEADERS = {
    "cache-control": "no-cache",  # asked for again each time, and 304 as a rule
    "content-security-policy": _POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file of the page, as it is sent."""

    body: bytes
    media_type: str
    version: str
    """SHA-256 of the body, in hex."""


@cache
def page_files() -> Mapping[str, PageFile]:
    """All of them, by name."""
    found = {}
    for each in files("rag_core.app").joinpath("page").iterdir():
        media_type = _MEDIA_TYPES.get(each.name[each.name.rfind(".") :])
        if media_type:
            body = each.read_bytes()
            found[each.name] = PageFile(body, media_type, hashlib.sha256(body).hexdigest())
    return found


@cache
def page_paths() -> frozenset[str]:
    """The paths at which the page is; none of them wants a credential."""
    return frozenset({"/", *(FOLDER + name for name in page_files())})


async def page(request: Request) -> Response:
    """The page itself, or a file of it; 304 where the reader has it already."""
    name = request.path_params.get("file", "index.html")
    file = page_files().get(name)
    if file is None:
        raise NotFound("file", "the page has no such file")
    headers = {**_HEADERS, "etag": entity_tag(file.version)}
    if is_known(request.headers, file.version):
        return Response(status_code=304, headers=headers)
    return Response(file.body, media_type=file.media_type, headers=headers)
