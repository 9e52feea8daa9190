"""Conversion: files become notes; a file that does harm harms a process that can be spared."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import date
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag_core.adapters.documents import Conversion
from rag_core.domain import Document, DocumentType, Verses
from rag_core.errors import InvalidInput
from tests.rag_core.adapters.documents.files_made import (
    archive,
    changed_docx,
    complained_of_pdf,
    encrypted_pdf,
    looping_pdf,
    pdf,
    word_document,
)

FRONT = b"""---
Title: On grace
speaker: Ruth
date: 2024-05-12
tags: [grace, gift]
scripture: Ephesians 2:8-9; 1 John 3:1
---
# A gift

Nobody can earn it.
"""
WORDS = b"http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def entities(declared: bytes, used: bytes) -> bytes:
    """A DOCX that declares entities, and uses one in its only paragraph."""
    paragraph = b"<w:p><w:r><w:t>grace %b</w:t></w:r></w:p>" % used
    body = b'<w:document xmlns:w="%b"><w:body>%b</w:body></w:document>' % (
        WORDS,
        paragraph,
    )
    return changed_docx("word/document.xml", b"<!DOCTYPE a [%b]>%b" % (declared, body))


BILLION_LAUGHS = b'<!ENTITY a0 "ha">' + b"".join(
    b'<!ENTITY a%d "%s">' % (i, b"&a%d;" % (i - 1) * 10) for i in range(1, 12)
)
DEEP = b"<html>" + b"<div>" * 30_000


@pytest.fixture
async def conversion() -> AsyncIterator[Conversion]:
    async with Conversion() as conversion:
        yield conversion


async def test_front_matter_says_what_a_note_is_and_is_no_part_of_it(
    conversion: Conversion,
) -> None:
    document = await conversion.convert("a/grace.md", FRONT)
    note = document.note
    assert (note.id, note.title, note.author) == ("a/grace.md", "On grace", "Ruth")
    assert (note.date, note.tags) == (date(2024, 5, 12), ("grace", "gift"))
    assert note.verses == (Verses("Ephesians", 2, 8, 9), Verses("1 John", 3, 1, 1))
    assert note.body == "# A gift\n\nNobody can earn it."
    assert document.type is DocumentType.TEXT
    assert set(document.sources.values()) == {"front matter"}


@pytest.mark.parametrize(
    ("name", "content", "title", "source"),
    [
        ("x.md", b"Some words.\n## Grace ##\nA gift.", "Grace", "its first heading"),
        ("x.txt", b"\n On grace \n\nA gift.", "On grace", "its first line"),
        ("a/on_grace.txt", b"word " * 100, "on grace", "its name"),
    ],
)
async def test_what_a_file_does_not_say_is_told_by_its_text_and_its_name(
    conversion: Conversion, name: str, content: bytes, title: str, source: str
) -> None:
    document = await conversion.convert(name, content)
    assert (document.note.title, document.sources["title"]) == (title, source)


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("2024-05-12 grace.md", date(2024, 5, 12)),
        ("2024/sermon_20240512.md", date(2024, 5, 12)),
        ("2024-13-12.md", None),
        ("2024-05-12/grace.md", None),
        ("1202405123.md", None),
    ],
)
async def test_a_day_in_a_name_is_the_notes(
    conversion: Conversion, name: str, day: date | None
) -> None:
    assert (await conversion.convert(name, b"Grace is a gift.")).note.date == day


async def test_verses_that_a_title_names_are_the_notes(conversion: Conversion) -> None:
    text = b"# Romans 8:1-4, 9:7-3, Luke 9:7-3 and 1 Cor 13\n\nCompare Psalm 23:1, by the way."
    document = await conversion.convert("x.md", text)
    assert document.note.verses == (Verses("Romans", 8, 1, 4),)
    assert document.sources["verses"] == "its first heading"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
async def test_text_is_read_in_the_encodings_that_people_save_it_in(
    conversion: Conversion, encoding: str
) -> None:
    document = await conversion.convert("x.txt", "Grâce est gratuite.\r\nOui.".encode(encoding))
    assert document.note.body == "Grâce est gratuite.\nOui."


async def test_a_page_says_what_it_shows_and_nothing_that_it_does(conversion: Conversion) -> None:
    page = (
        b"<!doctype html><html><head><title>On grace</title><meta name=author content=Ruth>"
        b"<meta name=keywords content='grace, gift'><style>p{}</style></head><body>"
        b"<script>alert('x')</script><h1>Grace</h1><p>A <b>gift</b>, a*b_c "
        b"<a href='javascript:alert(1)'>free</a>.<ul><li>one<li>two</ul>"
        b"<img src='http://127.0.0.1/pixel'></body></html>"
    )
    document = await conversion.convert("x", page)
    assert document.type is DocumentType.HTML
    note = document.note
    assert (note.title, note.author, note.tags) == ("On grace", "Ruth", ("grace", "gift"))
    assert note.body.startswith("# Grace\n\nA **gift**, a*b_c free.")
    assert "* one\n* two" in note.body
    assert not any(each in note.body for each in ("alert", "p{}", "pixel", "http"))


async def test_a_word_document_keeps_its_order_and_its_properties(conversion: Conversion) -> None:
    document = await conversion.convert("x.docx", word_document("Gifts", "grace, gift"))
    note = document.note
    assert (note.title, note.author, note.date) == ("Gifts", "Ruth", date(2024, 5, 12))
    assert note.tags == ("grace", "gift")
    assert note.body == (
        "# On grace\n\nPaul calls grace a gift that nobody can earn.\n\n- It is free.\n\n"
        "Ephesians | 2:8"
    )


async def test_a_pdf_is_read_in_paragraphs_over_all_its_pages(conversion: Conversion) -> None:
    lines = ["Paul calls grace a gift that no-", "body can earn, and that", "is free."]
    document = await conversion.convert("x", pdf(lines, ["Next page."], title="On grace"))
    assert (document.type, document.pages) == (DocumentType.PDF, 2)
    assert document.note.title == "On grace"
    assert document.note.body == (
        "Paul calls grace a gift that nobody can earn, and that is free.\n\nNext page."
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "holds no text"),
        (b"\0\1\2", "it is binary"),
        (b"\x89PNG\r\n\x1a\n\0", "it is binary"),
        (b"a\x81\x8d", "is not UTF-8 text"),
        (b"---\ntitle: [\n---\nx", "is not YAML"),
        (b"---\n- a\n---\nx", "is not a list of names and values"),
        (b"---\ndate: soon\n---\nx", "date 'soon' is none"),
        (b"---\nverses: somewhere\n---\nx", "is no range of verses"),
        (b"---\na: &a [x]\n" + b"b: " + b"[" * 5000 + b"\n---\nx", "is not YAML"),
        (b"---\nx: " + b"y" * 30_000 + b"\n---\nx", "is longer than"),
        (b"PK\x03\x04 broken", "is a broken archive"),
        (archive({"a.txt": b"x"}), "is an archive, and no DOCX"),
        (changed_docx("word/document.xml", b"<broken"), "is broken"),
        (changed_docx("word/media/bomb", bytes(200 * 2**20)), "unpacks to"),
        (b"%PDF-1.4\nbroken", "is a broken PDF"),
        (encrypted_pdf(), "is encrypted"),
        (looping_pdf(), "is"),
        (pdf([]), "its pages are pictures"),
        (entities(BILLION_LAUGHS, b"&a11;"), "is broken"),
        (DEEP, "is broken: RecursionError"),
        (bytes(11 * 2**20), "more than 10,485,760"),
    ],
)
async def test_what_cannot_be_read_is_refused_with_a_reason_and_the_next_is_read(
    conversion: Conversion, content: bytes, problem: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await conversion.convert("x", content)
    assert problem in str(refused.value)
    assert "\n" not in str(refused.value)
    assert (await conversion.convert("good.txt", b"Grace.")).note.body == "Grace."


async def test_entities_of_a_document_are_not_fetched(conversion: Conversion) -> None:
    reading = entities(b'<!ENTITY file SYSTEM "file:///etc/passwd">', b"&file;")
    assert (await conversion.convert("x", reading)).note.body == "grace"


async def test_what_a_parser_complains_of_blocks_nobody(conversion: Conversion) -> None:
    document = await conversion.convert("x", complained_of_pdf())
    assert document.note.body == "Grace is a gift."


async def test_keywords_that_are_a_sentence_are_no_tags(conversion: Conversion) -> None:
    document = await conversion.convert("x", word_document("Gifts", f"grace; {'long ' * 30}"))
    assert document.note.tags == ("grace",)


async def test_a_file_that_takes_too_long_is_given_up() -> None:
    async with Conversion(timeout_s=1) as conversion:
        with pytest.raises(InvalidInput, match="takes longer than 1 s"):
            await conversion.convert("x", b"<html>" + b"<p>Grace.</p>" * 700_000)
        assert (await conversion.convert("x", b"Grace.")).note.body == "Grace."


async def test_a_file_that_takes_too_much_memory_is_given_up(conversion: Conversion) -> None:
    paragraphs = b"<w:p><w:r><w:t>x</w:t></w:r></w:p>" * 2_000_000
    head = b'<w:document xmlns:w="%b"><w:body>' % WORDS
    bomb = changed_docx("word/document.xml", head + paragraphs + b"</w:body></w:document>")
    assert len(bomb) < 1_000_000
    with pytest.raises(InvalidInput, match=r"MB to read|is broken"):
        await conversion.convert("x", bomb)
    assert (await conversion.convert("x", b"Grace.")).note.body == "Grace."


async def test_the_reader_knows_no_secret_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RAG_HF_TOKEN", "hf_secret")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    before = {each.pid for each in psutil.Process().children()}
    async with Conversion() as conversion:
        await conversion.convert("x", b"Grace.")
        (reader,) = [each for each in psutil.Process().children() if each.pid not in before]
        assert not any("hf_secret" in value for value in reader.environ().values())
    assert not reader.is_running()
    assert os.listdir(tmp_path) == []


async def test_whoever_no_longer_waits_leaves_no_half_answer_to_the_next(
    conversion: Conversion,
) -> None:
    slow = asyncio.create_task(conversion.convert("x", b"<html>" + b"<p>Grace.</p>" * 700_000))
    await asyncio.sleep(0)
    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow
    assert (await conversion.convert("x", b"Other words.")).note.body == "Other words."


STARTS = [b"", b"---\n", b"%PDF-1.7\n", b"PK\x03\x04", b"<html>", pdf(["Grace."]), word_document()]


@settings(
    max_examples=int(os.environ.get("RAG_TEST_FUZZ_EXAMPLES", "60")),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
@given(
    start=st.sampled_from(STARTS),
    cut=st.integers(0, 3000),
    more=st.binary(max_size=300),
    at=st.integers(0, 3000),
)
async def test_any_bytes_are_a_document_or_are_refused(
    conversion: Conversion, start: bytes, cut: int, more: bytes, at: int
) -> None:
    content = start[:at] + more + start[at + cut % 7 :]
    with suppress(InvalidInput):
        document = await conversion.convert("x", content)
        assert isinstance(document, Document)
        assert document.size_bytes == len(content)
