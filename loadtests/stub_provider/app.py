"""The stub provider as an ASGI application: the chat, and the endpoints that control it."""

from __future__ import annotations

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from loadtests.stub_provider.calls import Calls
from loadtests.stub_provider.chat import ChatCompletions
from loadtests.stub_provider.registry import described
from loadtests.stub_provider.script import Script, Stage, read_script


class Control:
    """GET and PUT /control: the script in force. GET and DELETE /control/calls: what came of it."""

    def __init__(self, stage: Stage, calls: Calls) -> None:
        self._stage, self._calls = stage, calls

    async def show(self, request: Request) -> Response:
        """The script in force, and all behaviours that there are."""
        script = msgspec.to_builtins(self._stage.script)
        return JSONResponse({**script, "known": described()})

    async def change(self, request: Request) -> Response:
        """Put another script into force for the calls that come from now on."""
        try:
            self._stage.perform(read_script(await request.body()))
        except ValueError as error:
            return JSONResponse({"error": str(error)}, status_code=422)
        return Response(status_code=204)

    async def calls(self, request: Request) -> Response:
        """The counts of `Calls`."""
        return Response(msgspec.json.encode(self._calls), media_type="application/json")

    async def reset(self, request: Request) -> Response:
        """Count from 0 again."""
        self._calls.reset()
        return Response(status_code=204)


def stub_app(script: Script) -> Starlette:
    """The application, with `script` in force."""
    stage, calls = Stage(script), Calls()
    control = Control(stage, calls)
    return Starlette(
        routes=[
            Route("/v1/chat/completions", ChatCompletions(stage, calls), methods=["POST"]),
            Route("/control", control.show, methods=["GET"]),
            Route("/control", control.change, methods=["PUT"]),
            Route("/control/calls", control.calls, methods=["GET"]),
            Route("/control/calls", control.reset, methods=["DELETE"]),
        ]
    )
