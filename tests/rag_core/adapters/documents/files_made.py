"""Documents made on the spot, good ones and bad."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime

import docx
import pypdf


def pdf(*pages: Sequence[str], title: str = "") -> bytes:
    """A PDF with these lines on its pages, written by hand; a page may have none."""
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    kids = []
    for lines in pages:
        shown = " T* ".join(f"({line}) Tj" for line in lines)
        stream = f"BT /F 12 Tf 14 TL 72 720 Td {shown} ET"
        objects.append(f"<</Length {len(stream)}>>\nstream\n{stream}\nendstream")
        kids.append(len(objects) + 1)
        resources = "<</Font<</F 3 0 R>>>>"
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources{resources}"
            f"/Contents {len(objects)} 0 R>>"
        )
    objects[1] = f"<</Type/Pages/Count {len(kids)}/Kids[{' '.join(f'{k} 0 R' for k in kids)}]>>"
    objects.append(f"<</Title({title})>>")
    return _file(objects)


def _file(objects: Sequence[str]) -> bytes:
    content, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(content))
        content += f"{number} 0 obj\n{each}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    trailer = f"trailer<</Size {size}/Root 1 0 R/Info {size - 1} 0 R>>\nstartxref\n{len(content)}\n"
    return content + f"xref\n0 {size}\n0000000000 65535 f \n{table}{trailer}%%EOF".encode()


def encrypted_pdf() -> bytes:
    """One that opens with a password alone."""
    writer, out = pypdf.PdfWriter(clone_from=io.BytesIO(pdf(["Grace."]))), io.BytesIO()
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(out)
    return out.getvalue()


def complained_of_pdf() -> bytes:
    """One that says of thousands of objects where they are, and is wrong each time."""
    good = pdf(["Grace is a gift."])
    begin, table = good[: good.rindex(b"xref\n0 ")], good[good.rindex(b"xref\n0 ") :]
    size = int(table.split()[2])
    more = b"".join(b"%010d 00000 n \n" % (9 + each) for each in range(30_000))
    table = table.replace(b"xref\n0 %d\n" % size, b"xref\n0 %d\n" % (size + 30_000), 1)
    return begin + table.replace(b"trailer", more + b"trailer", 1)


def looping_pdf() -> bytes:
    """Its pages are each other's parents."""
    return _file(["<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Count 1/Kids[2 0 R]>>", "<<>>"])


def word_document(title: str = "", keywords: str = "") -> bytes:
    """A DOCX with headings, a list, a table and properties."""
    document, out = docx.Document(), io.BytesIO()
    document.core_properties.title, document.core_properties.author = title, "Ruth"
    document.core_properties.keywords = keywords
    document.core_properties.created = datetime(2024, 5, 12, 9, 30)
    document.add_heading("On grace", 1)
    document.add_paragraph("Paul calls grace a gift that nobody can earn.")
    document.add_paragraph("It is free.", style="List Bullet")
    cells = document.add_table(1, 2).rows[0].cells
    cells[0].text, cells[1].text = "Ephesians", "2:8"
    document.save(out)
    return out.getvalue()


def archive(parts: Mapping[str, bytes]) -> bytes:
    """A ZIP of these parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in parts.items():
            zipped.writestr(name, content)
    return out.getvalue()


def changed_docx(part: str, content: bytes) -> bytes:
    """A DOCX of which one part is another."""
    with zipfile.ZipFile(io.BytesIO(word_document())) as good:
        return archive({name: good.read(name) for name in good.namelist()} | {part: content})
