"""A small OpenAI-style server on 127.0.0.1 whose replies a test decides."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Reply = Callable[[str], Response]


def says(text: str, *, usage: bool = True) -> Response:
    """A chat completion of `text`, counted as 100 tokens in and 10 out."""
    counted = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    message = {"role": "assistant", "content": text}
    body = {
        "id": "c1",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": counted if usage else None,
    }
    return Response(json.dumps(body), media_type="application/json")


@dataclass
class JudgeServer:
    """What was asked, and how to reply."""

    base_url: str
    reply: Reply = field(default=lambda prompt: says("{}"))
    prompts: list[str] = field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        prompt = (await request.json())["messages"][-1]["content"]
        self.prompts.append(prompt)
        return self.reply(prompt)


@asynccontextmanager
async def judge_server() -> AsyncIterator[JudgeServer]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        found = JudgeServer(f"http://127.0.0.1:{listening.getsockname()[1]}/v1")
        app = Starlette(routes=[Route("/v1/chat/completions", found.answer, methods=["POST"])])
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        # The socket listens already; what comes before the server is up waits in its queue.
        try:
            yield found
        finally:
            server.should_exit = True
            await serving
