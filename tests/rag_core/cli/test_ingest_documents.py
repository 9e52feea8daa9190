"""`ingest` of folders and documents: to a cited answer, and past what cannot be read."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from rag_core.domain import UserId
from tests.rag_core.adapters.documents.files_made import pdf, word_document
from tests.rag_core.cli.commands import Ran, Run

SERMONS = {
    "grace": "Paul calls grace a gift that nobody can earn.",
    "storm": "Jesus slept in the boat during the storm.",
    "manna": "The manna that was kept overnight bred worms.",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three sermons, one of them deeper and one a PDF, and what is no sermon."""
    folder = tmp_path / "sermons"
    (folder / "2024").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "note.md").write_text("A secret.")
    (folder / "2024" / "2024-05-12 grace.md").write_text(f"# On grace\n\n{SERMONS['grace']}")
    (folder / "storm.txt").write_text(f"The storm\n\n{SERMONS['storm']}")
    (folder / "talk.pdf").write_bytes(pdf([SERMONS["manna"]], title="On manna"))
    (folder / "link.md").symlink_to(folder / "storm.txt")
    return folder


def complaints(ran: Ran) -> list[str]:
    """The lines on stderr that do not say how far it is."""
    progress = ("starting:", "reading:", "ingesting:")
    return [line for line in ran.err.splitlines() if not line.startswith(progress)]


def test_a_folder_becomes_notes_that_answers_cite(run: Run, folder: Path, user: UserId) -> None:
    ran = run("ingest", folder, "--user", user)
    assert (ran.exit_code, complaints(ran)) == (0, [])
    assert ran.out.splitlines() == [
        "2024/2024-05-12 grace.md: 'On grace' (its first heading), 2024-05-12 (its name)",
        "storm.txt: 'The storm' (its first line)",
        "talk.pdf: 'On manna' (the document's properties), 1 page",
        "3 notes read, 3 written as 3 chunks, 3 of them embedded",
    ]
    answer = run("ask", "--user", user, "What happened to the manna that was kept overnight?")
    assert "bred worms" in answer.out
    assert "[1] On manna" in answer.out
    again = run("ingest", folder, "--user", user)
    assert "3 notes read, 0 written" in again.out


def test_what_cannot_be_read_is_named_and_the_rest_goes_in(
    run: Run,
    folder: Path,
    user: UserId,
) -> None:
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    (folder / "picture.md").write_bytes(b"\x89PNG\0")
    (folder / "talk.docx").write_bytes(word_document("Gifts"))
    (folder / "rows.jsonl").write_text('{"id": "talk.docx", "title": "", "body": "Grace."}')
    ran = run("ingest", folder, "--user", user)
    assert ran.exit_code == 2
    assert "4 notes read, 4 written" in ran.out
    first, second, third, last = complaints(ran)
    assert first.startswith(f"error: {folder / 'broken.pdf'}: file is a broken PDF")
    assert second.startswith(f"error: {folder / 'picture.md'}: file holds no text: it is binary.")
    assert third.startswith(f"error: {folder / 'talk.docx'}: its note would have the id of another")
    assert last == "3 files could not be read"


def test_a_document_may_come_on_standard_input(
    run: Run,
    user: UserId,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = f"---\nid: manna\n---\n{SERMONS['manna']}".encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(page)))
    ran = run("ingest", "-", "--user", user)
    assert (ran.exit_code, complaints(ran)) == (0, [])
    assert ran.out.startswith("manna: ")
    assert run("delete", "manna", "--user", user).exit_code == 0


def test_a_folder_without_files_is_a_mistake(run: Run, tmp_path: Path, user: UserId) -> None:
    (tmp_path / "empty").mkdir()
    ran = run("ingest", tmp_path / "empty", "--user", user)
    assert ran.exit_code == 2
    assert ran.err == "error: PATH: no files are there. Name a file, or a folder with some\n"


def test_a_page_is_fetched_from_no_host_that_the_operator_does_not_name(
    run: Run, folder: Path, user: UserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = "http://localhost:1/talk.html"
    ran = run("ingest", page, folder, "--user", user)
    assert ran.exit_code == 2
    assert "3 notes read" in ran.out
    fix = "The operator names hosts in RAG_INGEST_HOSTS"
    assert complaints(ran) == [f"error: {page}: URL localhost is not allowed. {fix}"]
    monkeypatch.setenv("RAG_INGEST_HOSTS", "localhost, Notes.Example.org")
    ran = run("ingest", page, "--user", user)
    assert complaints(ran) == [f"error: {page}: URL localhost is at a private address"]
    monkeypatch.setenv("RAG_INGEST_HOSTS", "https://notes.example.org")
    ran = run("ingest", page, "--user", user)
    assert ran.exit_code == 3
    assert "RAG_INGEST_HOSTS" in ran.err
    assert "is no name of a host" in ran.err
