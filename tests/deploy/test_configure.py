"""docs/configure.md: every setting stands there, as the settings themselves have it."""

from __future__ import annotations

import re

from rag_core.settings import Settings
from tests.deploy.test_dockerfile import ROOT, loaded

tables = loaded("settings_table")
TEXT = (ROOT / "docs" / "configure.md").read_text(encoding="utf-8")


def test_the_tables_are_those_of_the_settings() -> None:
    assert tables.page(TEXT) == TEXT, "run: make configure"


def test_a_table_that_says_something_else_is_made_anew() -> None:
    changed = re.sub(r"\| `RAG_TOP_K` \| `\d+`", "| `RAG_TOP_K` | `99`", TEXT)
    assert changed != TEXT
    assert tables.page(changed) == TEXT


def test_every_setting_has_a_row_and_every_secret_is_called_one() -> None:
    rows = dict(re.findall(r"^\| `RAG_(\w+)` \| .* \| (.*) \| .+ \|$", TEXT, re.MULTILINE))
    assert rows.keys() == {name.upper() for name in Settings.model_fields} - {"PROVIDER"}
    secret = {n.upper() for n, f in Settings.model_fields.items() if "Secret" in str(f.annotation)}
    assert {name for name, values in rows.items() if values == "secret"} == secret
