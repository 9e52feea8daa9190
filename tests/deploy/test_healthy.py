"""The container's health check, against real HTTP servers."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

HEALTHY = Path(__file__).resolve().parents[2] / "deploy" / "healthy.py"


class Answers(BaseHTTPRequestHandler):
    """Answers /health/live with the status that the server has."""

    def do_GET(self) -> None:
        self.send_response(self.server.status if self.path == "/health/live" else 404)  # type: ignore[attr-defined]
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def check(port: int) -> subprocess.CompletedProcess[str]:
    """As the image does: without site-packages."""
    return subprocess.run(
        [sys.executable, "-S", HEALTHY],
        env={"RAG_PORT": str(port)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (404, 1)])
def test_only_an_app_that_lives_is_healthy(server: HTTPServer, status: int, code: int) -> None:
    server.status = status  # type: ignore[attr-defined]
    done = check(server.server_port)
    assert done.returncode == code
    assert done.stderr == ("" if code == 0 else f"answered {status}\n")


def test_where_nobody_listens_it_is_not_healthy_and_says_so_in_a_line() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        done = check(free.getsockname()[1])
    assert done.returncode == 1
    assert done.stderr.startswith("no answer: ")
    assert done.stderr.count("\n") == 1
