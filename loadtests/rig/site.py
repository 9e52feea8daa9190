"""The application before its servers, each in processes of its own."""

from __future__ import annotations

import asyncio
import secrets
import socket
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import msgspec
import psutil

from loadtests.rig.child import ChildFailed, child, clean_environment, run_child, tail
from loadtests.rig.provider import Bill, Provider, running_provider
from loadtests.traffic.credentials import AUDIENCE, ISSUER
from loadtests.traffic.shape import Shape

PRICE_INPUT_USD, PRICE_OUTPUT_USD = 0.0000002, 0.0000006
"""US dollars a token; the application is told the same."""
_SERVE = ("rag_core", "serve")
_START_S, _LOOK_S = 120.0, 0.1
_OWN = {
    # People stay far below it; one who floods does not.
    "RAG_RATE_LIMITS": "60/minute",
    "RAG_RATE_LIMITS_ALL": "100000000/hour",
    "RAG_CACHE": "redis",
    "RAG_HF_TOKEN": "stub",
    "RAG_HF_MODEL": "stub",
    "RAG_PRICE_INPUT_USD": f"{PRICE_INPUT_USD:.10f}",
    "RAG_PRICE_OUTPUT_USD": f"{PRICE_OUTPUT_USD:.10f}",
    "RAG_JWT_AUDIENCE": AUDIENCE,
    "RAG_JWT_ISSUER": ISSUER,
}
"""Settings of the application in every load test; a shape may say others."""


class Booked(msgspec.Struct, frozen=True):
    """What the application's books say of one group of paid calls."""

    calls: int = 0
    usd: float = 0.0


@dataclass(frozen=True)
class Site:
    """A running application at `url`, and everything behind it.

    `secret` signs its people's tokens; `environment` is that of the application, `home` the folder
    of its servers, `folder` that of the logs.
    """

    url: str
    secret: str
    app: Process
    home: Path
    provider: Provider
    environment: Mapping[str, str]
    folder: Path

    @property
    def port(self) -> int:
        """The port at which it listens."""
        return int(self.url.rpartition(":")[2])

    def processes(self) -> dict[str, list[psutil.Process]]:
        """Those of each part, as they are now."""
        servers = _within(self.home)
        return {
            "app": tree(self.app.pid),
            "postgres": [process for name, process in servers if name.startswith("postgres")],
            "redis": [process for name, process in servers if name.startswith("valkey")],
            "stub": tree(self.provider.pid),
        }

    async def booked(self) -> Booked:
        """All paid calls in the application's books."""
        arguments = ("rag_core", "costs", "--json")
        printed = await run_child(arguments, self.environment, self.folder / "costs.log")
        groups = msgspec.json.decode(printed, type=list[Booked])
        return Booked(sum(each.calls for each in groups), sum(each.usd for each in groups))

    async def billed(self) -> tuple[Bill, float]:
        """The provider's bill, and the same in US dollars."""
        bill = await self.provider.bill()
        return bill, bill.usd(PRICE_INPUT_USD, PRICE_OUTPUT_USD)


@asynccontextmanager
async def running_site(shape: Shape, folder: Path) -> AsyncIterator[Site]:
    """Start stub, Postgres, Valkey and the application; stop all at the end.

    Raises:
        ChildFailed: one of them did not start; the logs are in `folder`.
    """
    secret, port = secrets.token_urlsafe(48), _free_port()
    with tempfile.TemporaryDirectory(prefix="rag-load-") as home:
        async with running_provider() as provider, _servers(Path(home), folder) as urls:
            environment = clean_environment() | _OWN | urls | {
                "RAG_HOME": home,
                "RAG_HF_BASE_URL": provider.url,
                "RAG_JWT_SECRET": secret,
                "RAG_PORT": str(port),
                "RAG_WORKERS": str(shape.workers),
            } | dict(shape.settings)  # fmt: skip
            await run_child(("rag_core", "migrate"), environment, folder / "migrate.log")
            log = folder / "app.log"
            async with child(_SERVE, environment, log) as app:
                url = f"http://127.0.0.1:{port}"
                await _ready(url, app, log)
                yield Site(url, secret, app, Path(home), provider, environment, folder)


@asynccontextmanager
async def _servers(home: Path, folder: Path) -> AsyncIterator[dict[str, str]]:
    """The variables that name a Postgres and a Valkey of our own."""
    log = folder / "servers.log"
    arguments = ("rag_core", "embedded", "--home", str(home))
    async with child(arguments, clean_environment(), log, talks=True) as process:
        assert process.stdout is not None  # it talks
        lines = [(await process.stdout.readline()).decode().strip() for _ in range(2)]
        if not all(lines):
            raise ChildFailed(f"the embedded servers did not start: {tail(log)}")
        yield {name: value for name, _, value in (line.partition("=") for line in lines)}


async def _ready(url: str, app: Process, log: Path) -> None:
    """Wait until the application takes questions."""
    try:
        async with asyncio.timeout(_START_S), httpx2.AsyncClient(trust_env=False) as http:
            while not await _is_ready(http, url):
                if app.returncode is not None:
                    raise ChildFailed(f"the application ended: {tail(log)}")
                await asyncio.sleep(_LOOK_S)
    except TimeoutError:
        raise ChildFailed(f"the application is not ready after {_START_S:g} s") from None


async def _is_ready(http: httpx2.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(f"{url}/health/ready")).status_code == 200
    except httpx2.TransportError:
        return False


def tree(pid: int) -> list[psutil.Process]:
    """A process and all its descendants that still run."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _within(home: Path) -> list[tuple[str, psutil.Process]]:
    """Processes whose working directory lies in the servers' home, with their names."""
    found = psutil.process_iter(["name", "cwd"])
    return [(p.info["name"], p) for p in found if (p.info["cwd"] or "").startswith(f"{home}/")]


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
