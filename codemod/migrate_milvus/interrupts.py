"""What an interrupt comes to: one line, and an exit code of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

CODE = 130


@contextmanager
def one_line(comfort: str = "every file holds its old or its new text") -> Iterator[None]:
    """End the program when it is interrupted; click would exit with 1, as if ORM use remained."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"Interrupted: {comfort}.", file=sys.stderr)
        sys.exit(CODE)
