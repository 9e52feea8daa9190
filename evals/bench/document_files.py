"""Files of all kinds to be read, good ones and bad, the same for the same seed."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import docx
import pypdf

BAD_SHARE = 0.05
"""By the requirement."""
_WORDS: Sequence[str] = tuple(
    word
    for line in (
        "grace mercy storm lake boat shepherd field harvest vineyard gift",
        "promise river stone temple light bread house father son mother",
        "sister brother road desert mountain word song night",
    )
    for word in line.split()
)
_SENTENCES = 30
"""Of a file: a page or so; chosen."""


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file, and whether it can be read."""

    name: str
    content: bytes
    good: bool


def made_files(count: int, seed: int = 0) -> list[MadeFile]:
    """The number of `count` files, no two of the same content; one in twenty cannot be read."""
    chance = random.Random(seed)
    bad = set(chance.sample(range(count), round(count * BAD_SHARE)))
    return [_bad(n, chance) if n in bad else _good(n, chance) for n in range(count)]


def _good(number: int, chance: random.Random) -> MadeFile:
    kinds: dict[str, Callable[[int, Sequence[str]], bytes]] = {
        "md": _markdown,
        "txt": _text,
        "html": _html,
        "docx": _docx,
        "pdf": _pdf,
        "jsonl": _json_line,
    }
    kind = list(kinds)[number % len(kinds)]
    sentences = list(_sentences(number, chance))
    return MadeFile(f"file-{number:04}.{kind}", kinds[kind](number, sentences), True)


def _bad(number: int, chance: random.Random) -> MadeFile:
    text = list(_sentences(number, chance))
    junk = chance.randbytes(2_000) + b"\0"
    made: dict[str, Callable[[], bytes]] = {
        "cut.pdf": lambda: _pdf(number, text)[:1_000],
        "locked.pdf": lambda: _locked(_pdf(number, text)),
        "scanned.pdf": lambda: _pdf(number, []),
        "looping.pdf": lambda: _looping(number),
        "cut.docx": lambda: _docx(number, text)[:9_000],
        "bomb.docx": lambda: _bomb(number),
        "laughs.docx": lambda: _laughs(number),
        "binary.txt": lambda: junk,
        "empty.html": lambda: b"<html><body><!-- %d --></body></html>" % number,
        "broken.jsonl": lambda: b'{"id": "%d", "title": \n' % number,
    }
    kind = chance.choice(list(made))
    return MadeFile(f"bad-{number:04}-{kind}", made[kind](), False)


def _sentences(number: int, chance: random.Random) -> Iterator[str]:
    for each in range(_SENTENCES):
        words = " ".join(chance.choices(_WORDS, k=10))
        yield f"Sentence {each} of file {number} says {words}."


def _markdown(number: int, text: Sequence[str]) -> bytes:
    head = f"---\nauthor: Ruth\ndate: 2024-05-{1 + number % 28:02}\ntags: [made]\n---\n"
    return f"{head}# On file {number}\n\n{' '.join(text)}\n".encode()


def _text(number: int, text: Sequence[str]) -> bytes:
    return f"On file {number}\n\n{' '.join(text)}\n".encode()


def _html(number: int, text: Sequence[str]) -> bytes:
    body = "".join(f"<p>{each}</p>" for each in text)
    return f"<!doctype html><html><h1>On file {number}</h1>{body}</html>".encode()


def _json_line(number: int, text: Sequence[str]) -> bytes:
    note = {"id": f"file-{number}", "title": f"On file {number}", "body": " ".join(text)}
    return json.dumps(note).encode() + b"\n"


def _docx(number: int, text: Sequence[str]) -> bytes:
    document, out = docx.Document(), io.BytesIO()
    document.add_heading(f"On file {number}", 1)
    for each in text:
        document.add_paragraph(each)
    document.save(out)
    return out.getvalue()


def _pdf(number: int, text: Sequence[str]) -> bytes:
    shown = " T* ".join(f"({each}) Tj" for each in text)
    stream = f"BT /F 8 Tf 12 TL 36 720 Td {shown} ET" if text else f"% {number}"
    return _pdf_of(
        [
            "<</Type/Catalog/Pages 2 0 R>>",
            "<</Type/Pages/Count 1/Kids[5 0 R]>>",
            "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
            f"<</Length {len(stream)}>>\nstream\n{stream}\nendstream",
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]"
            "/Resources<</Font<</F 3 0 R>>>>/Contents 4 0 R>>",
        ]
    )


def _pdf_of(objects: Sequence[str]) -> bytes:
    content, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(content))
        content += f"{number} 0 obj\n{each}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size, start = len(objects) + 1, len(content)
    head = f"xref\n0 {size}\n0000000000 65535 f \n"
    trailer = f"trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF"
    return content + (head + table + trailer).encode()


def _looping(number: int) -> bytes:
    """Its pages are each other's parents."""
    return _pdf_of(
        ["<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Count 1/Kids[2 0 R]>>", f"<</N {number}>>"]
    )


def _locked(content: bytes) -> bytes:
    writer, out = pypdf.PdfWriter(clone_from=io.BytesIO(content)), io.BytesIO()
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(out)
    return out.getvalue()


def _bomb(number: int) -> bytes:
    """A megabyte that unpacks to two hundred."""
    return _archive("word/document.xml", b"%d" % number + b" " * 200_000_000)


def _laughs(number: int) -> bytes:
    """Entities that stand for ten others each, nine times over (the billion laughs)."""
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    text = f'<!DOCTYPE d [<!ENTITY l0 "{number}">{entities}]><d>&l9;</d>'
    return _archive("word/document.xml", text.encode())


def _archive(part: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(part, content)
    return out.getvalue()
