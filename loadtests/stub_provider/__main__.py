"""The stub provider on 127.0.0.1: `python -m loadtests.stub_provider --port 0 --behaviour hang`.

Prints one JSON line, `{"url": …, "control": …, "pid": …}`, once it listens. SIGTERM stops it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator

import uvicorn
import uvloop

from loadtests.stub_provider.app import stub_app
from loadtests.stub_provider.registry import AnyBehaviour, described
from loadtests.stub_provider.script import Script, behaviour_of

_PATIENCE_S = 1  # for replies under way when it is told to stop; a hanging one never ends
_BACKLOG = 2_048  # connections that wait to be accepted: uvicorn's own default


class _Server(uvicorn.Server):
    """Leaves signals to us: uvicorn would raise SIGTERM again when it has stopped."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _serve(listener: socket.socket, script: Script, *, with_parent: bool) -> None:
    config = uvicorn.Config(
        stub_app(script),
        log_level="critical",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=_PATIENCE_S,
    )
    server, loop = _Server(config), asyncio.get_running_loop()

    def stop() -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    if with_parent:
        loop.add_reader(sys.stdin, stop)  # readable when the parent's end closes: it is gone
    root = f"http://127.0.0.1:{listener.getsockname()[1]}"
    addresses = {"url": f"{root}/v1", "control": f"{root}/control", "pid": os.getpid()}
    print(json.dumps(addresses), flush=True)
    await server.serve(sockets=[listener])


def _listening(host: str, port: int) -> socket.socket:
    """A socket that says it is TCP's: asyncio sends small packets at once on those only."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(_BACKLOG)
    return listener


def _behaviour(text: str) -> AnyBehaviour:
    try:
        return behaviour_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _parser() -> argparse.ArgumentParser:
    known = "\n".join(f"  {name}\n      {said}" for name, said in described().items())
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.stub_provider",
        description=__doc__,
        epilog=f"behaviours (each also takes share, from_call, until_call, seed):\n{known}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 in a container")
    parser.add_argument("--port", type=int, default=0, help="0, the default: any that is free")
    parser.add_argument(
        "--behaviour",
        action="append",
        type=_behaviour,
        default=[],
        help='a name, or JSON: {"behaviour": "latency", "seconds": 2, "share": 0.1}; repeatable',
    )
    parser.add_argument("--with-parent", action="store_true", help="stop when stdin is closed")
    return parser


def main() -> int:
    """Serve until SIGTERM; exit code 2 when the port is taken."""
    options = _parser().parse_args()
    try:
        listener = _listening(options.host, options.port)
    except (OSError, OverflowError) as error:
        print(f"error: {options.host}, --port {options.port}: {error}", file=sys.stderr)
        return 2
    script = Script(options.behaviour)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(listener, script, with_parent=options.with_parent))
    return 0


if __name__ == "__main__":
    sys.exit(main())
