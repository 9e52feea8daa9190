"""The verdict as JUnit XML: a test case a finding, for CI that shows tests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree as Xml

from evals.gate.finding import Finding, Judgement, Status

_TAGS: Mapping[Status, str] = {
    Status.REGRESSION: "failure",
    Status.INVALID: "error",
    Status.INFRASTRUCTURE: "error",
    Status.INCONCLUSIVE: "skipped",
    Status.NOT_GATED: "skipped",
}
# XML 1.0 has no way to write these.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def junit(judgement: Judgement) -> str:
    """An XML document; a regression is a failure, what cannot be compared an error."""
    counts = {
        "tests": len(judgement.findings),
        "failures": len(judgement.of(Status.REGRESSION)),
        "errors": len(judgement.of(Status.INVALID, Status.INFRASTRUCTURE)),
        "skipped": len(judgement.of(Status.INCONCLUSIVE, Status.NOT_GATED)),
    }
    suite = Xml.Element("testsuite", {"name": "gate", **{k: str(n) for k, n in counts.items()}})
    for found in judgement.findings:
        _case(suite, found)
    Xml.indent(suite)
    return Xml.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: Xml.Element, found: Finding) -> None:
    kind = found.part.replace(" ", "-")
    case = Xml.SubElement(suite, "testcase", classname=f"gate.{kind}", name=_plain(found.name))
    if tag := _TAGS.get(found.status):
        message = _plain(f"{found.status}: {found.sentence}")
        Xml.SubElement(case, tag, message=message).text = _plain(found.why)


def _plain(text: str) -> str:
    return _FORBIDDEN.sub("�", text)
