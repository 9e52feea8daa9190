"""Whether the app of this container answers: exit code 0, or 1 and why. Needs no package."""

from __future__ import annotations

import os
import sys
from http.client import HTTPConnection, HTTPException

LIMIT_S = 2.0


def main() -> int:
    """Ask /health/live: readiness is for who sends requests here, not for who restarts."""
    connection = HTTPConnection("127.0.0.1", int(os.environ.get("RAG_PORT") or 8000), LIMIT_S)
    try:
        connection.request("GET", "/health/live")
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        print(f"no answer: {error}", file=sys.stderr)
        return 1
    finally:
        connection.close()
    if status != 200:
        print(f"answered {status}", file=sys.stderr)
    return 0 if status == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
