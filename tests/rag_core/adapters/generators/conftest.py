"""A prompt, the real local LLM, and an HTTP server that plays replies and faults."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from rag_core.adapters.generators.chat_completions import ChatCompletionsGenerator
from rag_core.adapters.llama_tokenizer import LlamaTokenizer
from rag_core.domain import Completion, Context, Hit, Prompt, Question, Source, assemble_prompt
from rag_core.embedded import local_llm


@pytest.fixture(scope="session")
def tokenizer() -> LlamaTokenizer:
    return LlamaTokenizer()


def context_of(*texts: str) -> Context:
    """A context of one source for each text, the first found best."""
    sources = tuple(
        Source(
            number,
            Hit(
                f"note-{number}",
                0,
                f"Sermon {number}",
                "",
                text,
                0,
                len(text),
                "",
                None,
                (),
                (),
                score,
            ),
            text,
        )
        for number, text, score in zip(
            range(1, len(texts) + 1),
            texts,
            (0.6 - 0.05 * i for i in range(len(texts))),
            strict=False,
        )
    )
    whole = Context(sources).render() + "\n\n"
    return Context(sources, LlamaTokenizer().count(whole))


def prompt_of(question: str, *texts: str) -> Prompt:
    return assemble_prompt(Question(question), context_of(*texts), canary="c4n4ry")


@pytest.fixture
def prompt() -> Prompt:
    return prompt_of(
        "How did Noah build the ark?",
        "Noah built the ark of gopher wood, as God told him. It had three storeys and one door. "
        "The flood came when he was six hundred years old.",
        "Ruth gleaned in the field of Boaz until evening. She stayed with Naomi in Bethlehem.",
    )


@pytest.fixture(scope="session")
def llm_url() -> Generator[str, None, None]:
    """The base URL of a real small LLM, one for the session, on an event loop of its own."""
    with ThreadPoolExecutor(1) as thread, asyncio.Runner() as runner:
        llm = local_llm()
        yield thread.submit(runner.run, llm.__aenter__()).result()
        thread.submit(runner.run, llm.__aexit__(None, None, None)).result()
        thread.submit(runner.close).result()


@dataclass(frozen=True)
class Play:
    """One reply: status, headers and body; then perhaps a fault."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    then: str = "end"
    """`end` the response, `cut` the connection before its end, or `stall` until the peer goes."""


@dataclass
class PlayingServer:
    """Answers each request with the next play; the last one is repeated."""

    plays: list[Play] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    connections: int = 0
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a peer went away while its reply stalled."""
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._reply(reader, writer):
                pass
        except ConnectionError:
            pass  # the peer is gone, which is what some tests are about
        finally:
            writer.close()

    async def _reply(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; false when the connection is not to be used again."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        except asyncio.IncompleteReadError:
            return False
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:] if line)}
        self.headers.append(headers)
        self.requests.append(json.loads(await reader.readexactly(int(headers["content-length"]))))
        play = self.plays[min(len(self.requests), len(self.plays)) - 1]
        missing = 0 if play.then == "end" else 1_000
        lines = [
            f"HTTP/1.1 {play.status} Played",
            f"Content-Length: {len(play.body) + missing}",
            *(f"{name}: {value}" for name, value in play.headers.items()),
        ]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + play.body)
        await writer.drain()
        if play.then == "stall":
            await reader.read()
            self.left.set()
        return play.then == "end"


@asynccontextmanager
async def playing() -> AsyncGenerator[PlayingServer, None]:
    played = PlayingServer()
    server = await asyncio.start_server(played.serve, "127.0.0.1", 0)
    played.port = server.sockets[0].getsockname()[1]
    async with server:
        yield played


@pytest.fixture
async def server() -> AsyncGenerator[PlayingServer, None]:
    async with playing() as played:
        yield played


TOKEN = "hf_very-secret-token"


def answer(content: object = "Of gopher wood [1].", **more: object) -> bytes:
    choice = {
        "index": 0,
        "finish_reason": "stop",
        "message": {"role": "assistant", "content": content},
    }
    return json.dumps({"id": "1", "model": "m", "choices": [choice], **more}).encode()


def event(content: str | None = None, finish_reason: str | None = None, **more: object) -> bytes:
    delta = {"role": "assistant", "content": content}
    choices = [{"index": 0, "delta": delta, "finish_reason": finish_reason}]
    return b"data: " + json.dumps({"id": "1", "choices": choices, **more}).encode() + b"\n\n"


USAGE_EVENT = (
    b'data: {"id": "1", "choices": [], "usage": '
    b'{"prompt_tokens": 70, "completion_tokens": 2, "total_tokens": 72}}\n\n'
)
DONE = b"data: [DONE]\n\n"


@pytest.fixture
async def chat_generator(
    server: PlayingServer, tokenizer: LlamaTokenizer
) -> AsyncGenerator[ChatCompletionsGenerator, None]:
    made = ChatCompletionsGenerator(
        "huggingface",
        "some/model",
        tokenizer=tokenizer,
        key=TOKEN,
        base_url=server.url,
        timeout_s=5.0,
    )
    yield made
    await made.aclose()


async def streamed(generator: ChatCompletionsGenerator, prompt: Prompt) -> list[str | Completion]:
    return [item async for item in generator.stream(prompt, max_tokens=9)]
