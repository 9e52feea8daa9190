"""The 66 books of the Bible, by the names and abbreviations that people write."""

from __future__ import annotations

import re
from collections.abc import Mapping

# A line a book: its name first, then the usual abbreviations (SBL's, and those of common Bibles).
# Of books that are numbered, the number stands before each.
_BOOKS = """
Genesis Gen Ge Gn
Exodus Exod Exo Ex
Leviticus Lev Lv
Numbers Num Nm
Deuteronomy Deut Deu Dt
Joshua Josh Jos
Judges Judg Jdg
Ruth Ru
1 Samuel Sam Sm Sa
2 Samuel Sam Sm Sa
1 Kings Kgs Kg Ki
2 Kings Kgs Kg Ki
1 Chronicles Chron Chr Ch
2 Chronicles Chron Chr Ch
Ezra Ezr
Nehemiah Neh Ne
Esther Esth Est
Job Jb
Psalms Psalm Pss Psa Ps
Proverbs Prov Pro Prv Pr
Ecclesiastes Eccles Eccl Ecc Qoh
Song-of-Songs Song-of-Solomon Canticles Song Cant SoS
Isaiah Isa Is
Jeremiah Jer
Lamentations Lam
Ezekiel Ezek Eze Ezk
Daniel Dan Dn
Hosea Hos
Joel Jl
Amos Am
Obadiah Obad Oba Ob
Jonah Jon Jnh
Micah Mic
Nahum Nah Na
Habakkuk Hab
Zephaniah Zeph Zep
Haggai Hag Hg
Zechariah Zech Zec
Malachi Mal
Matthew Matt Mat Mt
Mark Mrk Mk
Luke Luk Lk
John Joh Jn
Acts Act Ac
Romans Rom Rm Ro
1 Corinthians Cor Co
2 Corinthians Cor Co
Galatians Gal
Ephesians Eph
Philippians Phil Php
Colossians Col
1 Thessalonians Thess Thes Th
2 Thessalonians Thess Thes Th
1 Timothy Tim Tm Ti
2 Timothy Tim Tm Ti
Titus Tit
Philemon Philem Phlm Phm
Hebrews Heb
James Jas Jam
1 Peter Pet Pt
2 Peter Pet Pt
1 John Joh Jn
2 John Joh Jn
3 John Joh Jn
Jude Jud
Revelation Revelations Rev Rv
"""


def _names() -> dict[str, frozenset[str]]:
    """All spellings of a book, in small letters, by each of them."""
    by_name: dict[str, frozenset[str]] = {}
    for line in _BOOKS.split("\n"):
        match = re.fullmatch(r"(?:(\d) )?(\S.*)", line)
        if match:
            number, names = match[1], match[2].lower().replace("-", "\N{NO-BREAK SPACE}").split(" ")
            every = frozenset(_numbered(number, name) for name in names)
            by_name |= dict.fromkeys(every, every)
    return by_name


def _numbered(number: str | None, name: str) -> str:
    name = name.replace("\N{NO-BREAK SPACE}", " ")
    return f"{number} {name}" if number else name


BOOKS: Mapping[str, frozenset[str]] = _names()
"""By each spelling of a book, in small letters, all of them: `BOOKS["rom"]` holds `romans`."""


def spellings(book: str) -> frozenset[str]:
    """All spellings of a book in small letters; of one that is not known, its own."""
    return BOOKS.get(book.lower(), frozenset({book.lower()}))
