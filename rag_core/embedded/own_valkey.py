"""A Valkey of one's own, for tests, trials and benchmarks that make trouble."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from rag_core.embedded.home import StackHome
from rag_core.embedded.valkey import ValkeyServer


class OwnValkey(ValkeyServer):
    """A server for an `async with`, to be killed, frozen and started again at the same URL."""

    dies_with = signal.SIGKILL  # a frozen one hears nothing else

    def __init__(self, folder: Path, options: Mapping[str, str] | None = None) -> None:
        home = StackHome.prepare(folder)
        super().__init__(home, options=options)
        self._snapshot = home.valkey / "dump.rdb"
        self._url = ""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """For `redis.asyncio.from_url`, once it was started."""
        return self._url

    async def start(self) -> str:
        """Return the URL once it answers; it holds what the last `SAVE` did, or nothing."""
        self._url = await super().start()
        return self._url

    async def kill(self) -> None:
        """kill -9."""
        self._send(signal.SIGKILL)
        await self.wait()

    def forget_snapshot(self) -> None:
        """Start empty next time."""
        self._snapshot.unlink(missing_ok=True)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Within the block the process stands still: it is there, but does nothing."""
        self._send(signal.SIGSTOP)
        try:
            yield
        finally:
            self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)
