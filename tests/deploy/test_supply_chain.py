"""What `make audit` and `make sbom` say, above all where there is nothing good to say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.test_dockerfile import ROOT, loaded

audit = loaded("audit")
LOCK = ROOT / "deploy" / "build.lock"


def answer(**package: Any) -> dict[str, Any]:
    """pip-audit's JSON, as its own documentation has it."""
    return {"dependencies": [{"name": "flask", "version": "0.5", **package}], "fixes": []}


KNOWN = {"id": "PYSEC-2019-179", "fix_versions": ["1.0"], "aliases": [], "description": ""}


@pytest.mark.parametrize(
    ("package", "code"),
    [
        ({"vulns": []}, 0),
        ({"vulns": [KNOWN]}, 1),
        ({"skip_reason": "Dependency not found on PyPI and could not be audited"}, 2),
    ],
)
def test_a_package_that_nobody_looked_up_is_not_a_good_one(
    package: dict[str, Any], code: int
) -> None:
    assert audit.tell(LOCK, audit.read(answer(**package))) == code


def test_a_vulnerability_is_told_with_the_version_that_mends_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    audit.tell(LOCK, audit.read(answer(vulns=[KNOWN])))
    assert "flask 0.5: PYSEC-2019-179, mended in 1.0" in capsys.readouterr().out


def test_a_service_that_cannot_be_reached_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """pip-audit itself, sent to an address where nobody listens."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    found = audit.audit(LOCK, "osv")
    assert found.error or found.not_looked_up
    assert audit.tell(LOCK, found) == 2


def licence_table(tmp_path: Path, *licences: dict[str, Any]) -> tuple[int, str]:
    """Exit code and page for one package with these licences."""
    component = {"name": "flask", "version": "0.5", "licenses": list(licences)}
    sbom, page = tmp_path / "sbom.json", tmp_path / "licences.md"
    sbom.write_text(json.dumps({"components": [component]}))
    command = [sys.executable, ROOT / ".ci" / "licences.py", sbom, page]
    done = subprocess.run(command, capture_output=True, check=False)
    return done.returncode, page.read_text()


def test_a_permissive_licence_is_fine(tmp_path: Path) -> None:
    code, page = licence_table(tmp_path, {"expression": "MIT AND BSD-3-Clause"})
    assert code == 0
    assert "| flask | 0.5 | BSD-3-Clause, MIT |  |" in page


@pytest.mark.parametrize("licence", [{"license": {"id": "AGPL-3.0-only"}}, None])
def test_a_licence_that_nobody_looked_at_is_not(
    tmp_path: Path, licence: dict[str, Any] | None
) -> None:
    code, page = licence_table(tmp_path, *([licence] if licence else []))
    assert code == 1
    assert "**" in page
