"""What Locust runs, in one process or in a master and its workers; `python -m loadtests` starts it.

Workers hand their samples to the master, which writes those of all to the run's folder.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
from locust import events
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import LocalRunner, WorkerRunner

from loadtests.generator.caller import Caller
from loadtests.generator.load import Load
from loadtests.record.sample import Sample, write_samples
from loadtests.traffic.credentials import Signer
from loadtests.traffic.order import read_order

__all__ = ["Caller"]  # Locust looks for the users here

SECRET = "LOADTEST_JWT_SECRET"
"""The variable with the secret that signs people's tokens."""


def _add_options(parser: LocustArgumentParser) -> None:
    parser.add_argument("--order", default="", help="what to send, as JSON; workers get it")
    parser.add_argument("--folder", default=".", help="for the samples")


def _attach(environment: Environment, **_: Any) -> None:
    """What happens in this process from now on goes to its own `_Part`."""
    part = _Part(environment)
    environment.events.test_start.add_listener(part.draw)
    environment.events.report_to_master.add_listener(part.hand_on)
    environment.events.worker_report.add_listener(part.gather)
    environment.events.quitting.add_listener(part.write)


class _Part:
    """What this process does in a load of several processes."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._load: Load | None = None
        self._gathered: list[Sample] = []

    def draw(self, **_: Any) -> None:
        """Each process draws the whole load, and keeps its part."""
        options, runner = self._environment.parsed_options, self._environment.runner
        assert options is not None
        if not isinstance(runner, LocalRunner | WorkerRunner):
            return  # the master sends nothing
        self._load = Load(
            read_order(options.order),
            Signer(os.environ[SECRET]),
            part=runner.worker_index,
            parts=options.expect_workers if isinstance(runner, WorkerRunner) else 1,
        )
        self._environment.load = self._load  # type: ignore[attr-defined] # where callers find it

    def hand_on(self, data: dict[str, Any], **_: Any) -> None:
        """What was recorded since the last time goes to the master."""
        data["samples"] = msgspec.json.encode(self._load.take_samples() if self._load else [])

    def gather(self, data: dict[str, Any], **_: Any) -> None:
        """What a worker hands on is kept."""
        self._gathered.extend(msgspec.json.decode(data["samples"], type=list[Sample]))

    def write(self, **_: Any) -> None:
        """All samples go to the run's folder; the verdict on them is ours, not that of Locust."""
        options, runner = self._environment.parsed_options, self._environment.runner
        assert options is not None
        if not isinstance(runner, WorkerRunner):
            recorded = self._load.take_samples() if self._load else []
            write_samples([*self._gathered, *recorded], Path(options.folder))
        self._environment.process_exit_code = 0


events.init_command_line_parser.add_listener(_add_options)
events.init.add_listener(_attach)
