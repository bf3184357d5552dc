"""The console script, and ``python -m migrate_milvus``."""

from __future__ import annotations

import contextlib
import sys
import warnings

from migrate_milvus.interrupts import one_line


def main() -> None:
    """Run the command line; an interrupt while it is imported is handled like any other."""
    for stream in (sys.stdout, sys.stderr):
        # A name or a line that the terminal's encoding lacks is no reason to fail.
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    # What Python has to say about users' code when it is parsed, their own Python tells them.
    warnings.simplefilter("ignore")
    with one_line():
        from migrate_milvus.cli import cli

        cli(prog_name="migrate-milvus")


if __name__ == "__main__":
    main()
