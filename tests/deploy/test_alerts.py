"""Each alert fires when it should, on numbers that an app exposes, and not when it should not."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from rag_core.adapters.telemetry.measures import DERIVED, RECORDED
from tests.deploy.stories import SCRAPE_S, STORIES, Story, scraped
from tests.servers.prometheus import program

ROOT = Path(__file__).parents[2]
DEPLOYED = ROOT / "deploy" / "prometheus"
RULES = yaml.safe_load((DEPLOYED / "rules.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]


def promtool(*arguments: str) -> str:
    """What it says; the test fails where it finds anything wrong."""
    command = [program("promtool"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_promtool_accepts_the_configuration_and_its_rules() -> None:
    said = promtool("check", "config", str(DEPLOYED / "prometheus.yml"))
    assert f"{len(RULES)} rules found" in said


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_an_alert_fires_when_it_should_and_no_other_does(story: Story, tmp_path: Path) -> None:
    series = [{"series": k, "values": " ".join(v)} for k, v in scraped(story).items()]
    firing = [{"labels": f'{{alertname="{story.alert}"}}', "value": 1}] if story.alert else []
    test = {
        "interval": f"{SCRAPE_S}s",
        "input_series": series,
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": f"{story.minutes}m",
                "exp_samples": firing,
            }
        ],
    }
    tests: dict[str, Any] = {
        "rule_files": [str(DEPLOYED / "rules.yml")],
        "evaluation_interval": f"{SCRAPE_S}s",
        "tests": [test],
    }
    file = tmp_path / "story.yml"  # YAML has all that JSON has
    file.write_text(json.dumps(tests))
    assert "SUCCESS" in promtool("test", "rules", str(file))


def test_every_alert_has_a_story_in_which_it_fires() -> None:
    assert {story.alert for story in STORIES} == {"", *(rule["alert"] for rule in RULES)}


def test_every_alert_says_what_to_do() -> None:
    """By a heading of the runbook."""
    for rule in RULES:
        page, anchor = rule["annotations"]["runbook"].split("#")
        headings = re.findall(r"^### (.+)$", (ROOT / page).read_text(encoding="utf-8"), re.M)
        assert anchor in {heading.lower().replace(" ", "-") for heading in headings}
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_rules_ask_for_measures_that_there_are() -> None:
    asked = {
        name for rule in RULES for name in re.findall(r"\b(?:assistant|vector)_\w+", rule["expr"])
    }
    there = {measure.name for measure in (*RECORDED, *DERIVED)}
    suffixes = r"(_bucket|_count|_sum|_total)$"
    assert {name for name in asked if not {name, re.sub(suffixes, "", name)} & there} == set()
