"""Dashboards that Grafana can provision, each of whose queries finds what the app exposes."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from rag_core.adapters.telemetry.measures import DERIVED, MAX_SERIES, RECORDED
from rag_core.domain import Tokenizer, UserId
from tests.deploy.monitored import busy_app, scraping
from tests.rag_core.embedded.processes import eventually
from tests.rag_core.scene import settings_for
from tests.servers.prometheus import program

GRAFANA = Path(__file__).parents[2] / "deploy" / "grafana"
DASHBOARDS = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((GRAFANA / "dashboards").glob("*.json"))
}
OFTEN = {"rate_limits": (), "rate_limits_all": (), "breaker_open_s": 2.0, "question_tokens": 50}
"""Nobody is turned away, breakers are tried soon, and a long question is soon too long."""


def expressions() -> Iterator[tuple[str, str]]:
    """Every query, by where it stands; over seconds, for a test's scrapes are so far apart."""
    for name, dashboard in DASHBOARDS.items():
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                expression = target["expr"].replace("$__rate_interval", "10s")
                yield f"{name}: {panel['title']}: {target['refId']}", expression


def test_there_are_four() -> None:
    assert list(DASHBOARDS) == ["caches", "cost", "overview", "providers"]


@pytest.mark.parametrize("name", DASHBOARDS)
def test_grafana_can_provision_it(name: str) -> None:
    dashboard = DASHBOARDS[name]
    assert dashboard["uid"] == f"assistant-{name}"
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({panel["title"] for panel in panels}) == len(panels)
    source = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text())
    uid = source["datasources"][0]["uid"]
    for panel in panels:
        assert panel["datasource"]["uid"] == uid
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert [target["refId"] for target in panel["targets"]] == [
            chr(ord("A") + n) for n in range(len(panel["targets"]))
        ]


@pytest.mark.parametrize("name", DASHBOARDS)
def test_no_panel_covers_another(name: str) -> None:
    places = [panel["gridPos"] for panel in DASHBOARDS[name]["panels"]]
    for one, other in combinations(places, 2):
        apart = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert apart or above, (one, other)
    assert all(place["x"] + place["w"] <= 24 for place in places)


def test_the_folder_of_the_dashboards_is_the_one_that_is_mounted() -> None:
    provider = yaml.safe_load((GRAFANA / "provisioning/dashboards/assistant.yml").read_text())
    path = provider["providers"][0]["options"]["path"]
    compose = yaml.safe_load((GRAFANA.parents[1] / "docker-compose.yml").read_text())
    assert f"./deploy/grafana/dashboards:{path}:ro" in compose["services"]["grafana"]["volumes"]


def test_every_measure_is_looked_at_somewhere() -> None:
    asked = " ".join(expression for _, expression in expressions())
    unseen = {each.name for each in (*RECORDED, *DERIVED) if not re.search(each.name, asked)}
    assert unseen == set()


async def test_every_query_finds_data_of_a_busy_app(
    own_database: str, user: UserId, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    program("prometheus")
    empty: dict[str, Any] = dict(expressions())
    async with (
        busy_app(settings_for(own_database, **OFTEN), user, tokenizer) as client,
        scraping(str(client.base_url), tmp_path) as prometheus,
    ):

        async def all_have_data() -> bool:
            for name, expression in list(empty.items()):
                found = await prometheus.values(expression)
                if any(not math.isnan(value) for value in found):
                    del empty[name]
            return not empty

        try:
            await eventually(all_have_data)
        except TimeoutError:
            pytest.fail(f"no data for: {json.dumps(empty, indent=2)}")
        (series,) = await prometheus.values("scrape_samples_scraped")
        rules = (await prometheus.ask("rules"))["groups"][0]["rules"]
    assert 100 < series <= MAX_SERIES
    assert {rule["name"]: rule["health"] for rule in rules if rule["health"] != "ok"} == {}
