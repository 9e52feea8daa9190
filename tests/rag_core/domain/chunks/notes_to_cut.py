"""Notes to cut, how small they are cut, and what of one is in no chunk."""

from __future__ import annotations

from hypothesis import strategies as st

from rag_core.domain import Chunk, Note, split_sections

MAX, OVERLAP = 24, 8

PIECES = st.sampled_from(
    [
        "In the beginning God created the heaven and the earth. ",
        "Rest. ",
        "He said, “Follow me.” ",
        "Mr. Henry wrote this (cf. Gen. 4:1). ",
        "And they went over, and over, and over the river, and they came to a city of palm trees, "
        "and dwelt there many days with the people of that land, and were glad. ",
        "\n\n",
        "\n## The second day\n",
        "\n### Ἐν ἀρχῇ\n",
        "\n# " + "On the first of days and the light " * 12 + "\n",
        "\n# И был вечер, и было утро: день один, день второй, день третий\n",
        "   ",
        "\t",
        "! ",
        "supercalifragilistic" * 12 + " ",
        "🙏🏽🕊️ ",
        "חֶסֶד ",
        "Благодать есть дар, и никто не может её купить. ",
        "Ἐν ἀρχῇ ἦν ὁ λόγος, καὶ ὁ λόγος ἦν πρὸς τὸν θεόν. ",
        "起初神創造天地。地是空虛混沌，淵面黑暗。",
        "태초에 하나님이 천지를 창조하시니라. ",
        "for (i = 0; i < n; i++) { a[i] = b[i]<<2 ^ 0xFF; }\n",
        "𝔊𝔯𝔞𝔠𝔢\u3000",
        "Amen\x1c",
        "no mark at all ",
    ]
)
BODIES = st.one_of(st.lists(PIECES, max_size=25).map("".join), st.text(max_size=300))
TITLES = st.sampled_from(["", "On rest", "О покое", "О благодати и о мире " * 25, "🙏🏽" * 150])


def note(body: str, title: str = "On rest") -> Note:
    return Note("n1", title, body)


def lost(body: str, chunks: tuple[Chunk, ...]) -> str:
    """Visible characters that are in no chunk, nor in a heading that one carries whole."""
    covered = {at for chunk in chunks for at in range(chunk.start, chunk.end)}
    for section in split_sections(body):
        if any(
            chunk.heading == section.heading and section.text_start <= chunk.start < section.end
            for chunk in chunks
        ):
            covered |= set(range(section.start, section.text_start))
    return "".join(c for at, c in enumerate(body) if at not in covered and not c.isspace())
