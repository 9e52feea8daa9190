"""Faults that a change of code might bring, as edits of a copied checkout."""

from __future__ import annotations

from evals.bench.planted_checkout import Edit

LOSING, NEGATING, SLOWER = "losing", "negating", "slower"

FAULTS = (
    # Every other piece of a note is lost.
    Edit(
        "rag_core/domain/chunks.py",
        """            for position, (heading, start, end) in enumerate(spans)
        )
""",
        f"""            for position, (heading, start, end) in enumerate(spans)
            if not (position % 2 and __import__("rag_core.planted").planted.FAULT == {LOSING!r})
        )
""",
    ),
    # Every sentence says the opposite: the fault that the notebook on validity plants.
    Edit(
        "rag_core/adapters/generators/extractive.py",
        """        lines = [str(quote) for quote in quotes] or [DECLINING_TEXT]
""",
        f"""        lines = [str(quote) for quote in quotes] or [DECLINING_TEXT]
        from rag_core.planted import FAULT

        if FAULT == {NEGATING!r} and quotes:
            from evals.measures.validity.faults import Material, negated, sentences, written

            said = sentences("\\n".join(lines), [each.number for each in prompt.context.sources])
            lines = written(negated(said, Material(prompt.context))).splitlines()
""",
    ),
    # Every search is made twice.
    Edit(
        "rag_core/adapters/postgres/search.py",
        """        rows = await self._fetch(method, user, query, k)
        if rows and""",
        f"""        from rag_core.planted import FAULT

        if FAULT == {SLOWER!r}:
            await self._fetch(method, user, query, k)
        rows = await self._fetch(method, user, query, k)
        if rows and""",
    ),
)
