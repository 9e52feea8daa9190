"""A process that uses a stack: prints its URLs as JSON once inside, leaves when stdin ends."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
from pathlib import Path

from rag_core.embedded import embedded_stack


async def main() -> None:
    async with embedded_stack(Path(sys.argv[1])) as urls:
        print(json.dumps(dataclasses.asdict(urls)), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
