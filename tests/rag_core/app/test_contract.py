"""The contract: what openapi.json says is what the application does, and nothing else."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Iterator
from typing import Any, get_args
from uuid import uuid4

import httpx
import msgspec
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from starlette.datastructures import Headers
from starlette.routing import Route

from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.generators import ExtractiveGenerator
from rag_core.adapters.llama_tokenizer import LlamaTokenizer
from rag_core.app import Credential, create_app
from rag_core.app.contract import contract
from rag_core.app.protocol import LimitedProtocol
from rag_core.domain import Flag, ImportState, Provenance, UserId
from rag_core.errors import Unauthenticated
from rag_core.settings import Settings
from tests.rag_core.scene import settings_for

CONTRACT: dict[str, Any] = msgspec.json.decode(contract())
EXAMPLES = int(os.environ.get("RAG_TEST_CONTRACT_EXAMPLES", "25"))
"""For each operation, as it should be and as it should not be."""

KEY = f"key-{uuid4().hex}"


async def by_key(headers: Headers) -> Credential:
    """One key, by either header."""
    if f"Bearer {KEY}" == headers.get("authorization") or headers.get("x-api-key") == KEY:
        return Credential(UserId(f"user-{KEY}"))
    raise Unauthenticated("another key")


@pytest.fixture(scope="module")
def url(database_url: str) -> Iterator[str]:
    """The application in a thread of its own; its user has a note."""
    embedder, tokenizer = HashingEmbedder(), LlamaTokenizer()
    app = create_app(
        settings_for(database_url, import_characters=500, request_timeout_s=20),
        authenticator=by_key,
        embedder=embedder,
        tokenizer=tokenizer,
        generator=ExtractiveGenerator(embedder, tokenizer),
    )
    config = uvicorn.Config(
        app, http=LimitedProtocol, ws="none", lifespan="on", log_level="critical"
    )
    server, listener = uvicorn.Server(config), socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
    thread.start()
    base = "http://{}:{}".format(*listener.getsockname())
    note = {"title": "On grace", "body": "Paul calls grace a gift. Nobody can buy grace."}
    put = httpx.put(f"{base}/notes/grace", json=note, headers={"x-api-key": KEY}, timeout=60)
    put.raise_for_status()
    yield base
    server.should_exit = True
    thread.join()


ACCEPTED = ["2xx", "3xx", "401", "403", "404", "409", "429", "5xx"]
"""schemathesis's own; 500 is another check's."""

REFUSED = ["400", "401", "404", "405", "412", "413", "415", "422"]
"""A body may be too large before it is anything else, and so may a condition not hold."""

RULES = {
    "/notes/{id}": [*ACCEPTED, "412"],  # a condition that does not hold
    "/documents": [*ACCEPTED, "422"],  # a file has a name in its form or in the query
    "/documents/{id}": [*ACCEPTED, "422"],
    "/assistant/query": [*ACCEPTED, "422"],  # nothing readable: no pattern says what that is
}
BYTES = {"/documents": ["2xx"], "/documents/{id}": ["2xx"]}
"""Whatever is sent as a file is bytes: nothing in it is of another type than it may be."""
API = schemathesis.openapi.from_dict(
    CONTRACT,
    config=schemathesis.Config.from_dict(
        {
            "operations": [
                {
                    "include-path": path,
                    "checks": {
                        "positive_data_acceptance": {"expected-statuses": statuses},
                        "negative_data_rejection": {
                            "expected-statuses": [*REFUSED, *BYTES.get(path, ())]
                        },
                    },
                }
                for path, statuses in RULES.items()
            ]
        }
    ),
)
OPERATIONS = [
    (path, method, mode)
    for path, item in CONTRACT["paths"].items()
    for method in item
    if method != "parameters"
    for mode in GenerationMode
    if mode.is_positive or "{" in path or {"parameters", "requestBody"} & set(item[method])
]
"""Each as it should be asked, and where that can be done as it should not be."""


# Of the application's own draws, made in its thread meanwhile, hypothesis thinks the strategy's.
@pytest.mark.filterwarnings("ignore:Do not use the .random. module inside strategies")
@pytest.mark.parametrize(("path", "method", "mode"), OPERATIONS)
def test_whatever_is_sent_the_application_keeps_to_it(
    url: str, path: str, method: str, mode: GenerationMode
) -> None:
    """Statuses, headers, types and bodies are those of the file; nothing is a 500.

    In one mode what is sent is as the file wants it, in the other it is not.
    """
    operation = API[path][method]

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def holds(case: schemathesis.Case) -> None:
        if mode.is_positive and isinstance(case.body, dict):
            _end_after_they_begin(case.body.get("verses") or [])
        case.call_and_validate(url, headers={"Authorization": f"Bearer {KEY}"}, timeout=60)

    holds()


def _end_after_they_begin(ranges: list[list[Any]]) -> None:
    """What no schema can say of verses."""
    for verses in ranges:
        verses[2:] = sorted(verses[2:])


def test_the_file_is_what_is_served(url: str) -> None:
    served = httpx.get(f"{url}/openapi.json")
    assert served.headers["content-type"] == "application/json"
    assert served.content == contract()


def test_every_route_is_in_the_file_and_nothing_else() -> None:
    routes = [route for route in create_app(Settings()).routes if isinstance(route, Route)]
    there = {
        (route.path.replace(":path", ""), method)
        for route in routes
        for method in route.methods or ()
        if method != "HEAD"
    }
    written = {
        (path, method.upper())
        for path, item in CONTRACT["paths"].items()
        for method in item
        if method != "parameters"
    }
    assert there == written


def test_the_words_of_an_answer_are_those_of_the_code() -> None:
    schemas = CONTRACT["components"]["schemas"]
    answer = schemas["Answer"]["properties"]
    assert set(answer["provenance"]["enum"]) == set(Provenance)
    assert set(answer["flags"]["items"]["enum"]) == set(Flag)
    assert schemas["Import"]["properties"]["state"]["enum"] == list(get_args(ImportState))


def test_each_operation_says_what_it_is_for_and_which_credential_it_wants() -> None:
    for path, item in CONTRACT["paths"].items():
        for operation in (each for method, each in item.items() if method != "parameters"):
            assert operation["summary"].endswith(".")
            open_to_all = operation.get("security") == []
            assert open_to_all == (
                path.startswith(("/health", "/page/")) or path in ("/", "/metrics", "/openapi.json")
            )
            assert open_to_all != ("401" in operation["responses"])
