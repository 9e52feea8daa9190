"""docker-compose.yml: by its schema, and whole."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
import yaml

from loadtests.command import _parser
from loadtests.rig.locust import SECRET
from loadtests.stub_provider.script import behaviour_of
from loadtests.traffic.credentials import AUDIENCE, ISSUER
from rag_core.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
FILES = [ROOT / "docker-compose.yml", *sorted((ROOT / "deploy").glob("compose*.yml"))]
SCHEMA = json.loads(
    (files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json").read_text()
)


class Loader(yaml.SafeLoader):
    """Knows the tag by which a later file takes something back."""


Loader.add_constructor("!reset", lambda loader, node: None)


def read(path: Path) -> Any:
    """A compose file."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader)


COMPOSE: dict[str, Any] = read(FILES[0])
SERVICES: dict[str, Any] = COMPOSE["services"]
TARGETS = re.findall(r"^FROM \S+ AS (\w+)", (ROOT / "deploy/Dockerfile").read_text(), re.M)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_it_is_as_the_compose_specification_has_it(path: Path) -> None:
    jsonschema.validate(read(path), SCHEMA)


def test_the_schema_finds_a_mistake() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"services": {"app": {"image": "a", "portss": []}}}, SCHEMA)


def test_two_apps_serve_under_one_name() -> None:
    apps = [
        s
        for s in SERVICES.values()
        if "app" in s.get("networks", {}).get("default", {}).get("aliases", ())
    ]
    assert len(apps) == 2
    assert apps[0]["environment"] == apps[1]["environment"]


def test_what_it_names_is_there() -> None:
    for name, service in SERVICES.items():
        for needed in service.get("depends_on", ()):
            assert needed in SERVICES, f"{name} depends on {needed}"
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            there = (
                (ROOT / source).exists() if source.startswith(".") else source in COMPOSE["volumes"]
            )
            assert there, f"{name} mounts {source}"
        if build := service.get("build"):
            assert (ROOT / build["dockerfile"]).is_file()
            assert build["target"] in TARGETS


def test_a_setting_that_a_service_is_given_is_one() -> None:
    known = {f"RAG_{name.upper()}" for name in Settings.model_fields}
    secret = {f"{name}_FILE" for name in known}
    for path in FILES:
        for service in read(path)["services"].values():
            given = {name for name in service.get("environment", ()) if name.startswith("RAG_")}
            assert given <= known | secret


def test_everything_answers_on_the_loopback_interface_only_each_at_a_port_of_its_own() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert len(ports) >= 7
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert len({port.split(":")[1] for port in ports}) == len(ports)


def test_what_is_ours_can_write_nothing_and_gain_nothing() -> None:
    ours = {name: s for name, s in SERVICES.items() if "build" in s}
    assert ours.keys() >= {"app-1", "app-2", "migrate"}
    for service in ours.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_who_is_stopped_has_the_time_that_the_settings_promise() -> None:
    grace_s = float(SERVICES["app-1"]["stop_grace_period"].removesuffix("s"))
    assert grace_s > Settings.model_fields["shutdown_s"].default


def test_every_image_says_its_version() -> None:
    for service in SERVICES.values():
        name, _, tag = service["image"].partition(":")
        assert name.startswith("rag_core") or (tag and tag != "latest")


def test_what_is_secret_is_neither_in_a_file_nor_given_twice() -> None:
    """Whatever has a file for a secret takes back the variable, and the file is its own."""
    overlay = read(ROOT / "deploy" / "compose.secrets.yml")
    for name, service in overlay["services"].items():
        given = service.get("environment", {})
        for variable in (each for each in given if each.endswith("_FILE")):
            assert given[variable.removesuffix("_FILE")] is None
        assert set(service["secrets"]) <= overlay["secrets"].keys()
        assert name in SERVICES
    assert all(each["file"].startswith("./deploy/secrets/") for each in overlay["secrets"].values())
    assert "deploy/secrets/" in (ROOT / ".gitignore").read_text().splitlines()
    assert "deploy/secrets" in (ROOT / "deploy/Dockerfile.dockerignore").read_text().splitlines()


def test_a_load_test_and_the_apps_are_told_the_same() -> None:
    """Who signs, for whom: what the load tests sign with is what the apps believe."""
    lines = (ROOT / "deploy/load.env").read_text().splitlines()
    told = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    assert (told["RAG_JWT_AUDIENCE"], told["RAG_JWT_ISSUER"]) == (AUDIENCE, ISSUER)
    assert Settings(**{name.removeprefix("RAG_").lower(): value for name, value in told.items()})
    assert told.keys() <= SERVICES["app-1"]["environment"].keys()
    assert SERVICES["load"]["environment"] == {SECRET: "${RAG_JWT_SECRET:-}"}
    host, port = urlsplit(told["RAG_HF_BASE_URL"]).netloc.split(":")
    assert f"--port={port}" in SERVICES[host]["command"]
    assert "--url=http://app:8000" in SERVICES["load"]["command"]


def test_what_the_load_test_is_told_to_run_it_can_read() -> None:
    run = SERVICES["load"]["command"]
    assert run[-1] == "--profile=${LOAD_PROFILE:-smoke}"
    assert _parser().parse_args([*run[:-1], "--profile=smoke"])
    (behaviour,) = (each for each in SERVICES["provider"]["command"] if "behaviour" in each)
    assert behaviour_of(behaviour.removeprefix("--behaviour="))
