"""``python -m migrate_milvus.verify.pair BEFORE AFTER``: compare two programs on embedded Milvus.

For people who write fixtures: runs both on Milvus Lite 3 (``--lite-2.5`` adds the other one), or
on the server that answers everything (``--echo``), and prints what differs. Exit status 0: equal,
and no warning after; 1: not; 2: could not run.
"""

from __future__ import annotations

import argparse
import difflib
import secrets
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from migrate_milvus.verify.compare import EXPECTED, Comparison, compare, printed
from migrate_milvus.verify.programs import WarmPython
from migrate_milvus.verify.server import EchoServer, EmbeddedServer, LiteServer, ServerError
from migrate_milvus.verify.trace import RecordingError, Run


def describe(before: Run, after: Run, comparison: Comparison) -> list[str]:
    """Return the comparison in lines to read."""
    lines = [
        f"requests  {comparison.requests_before} before, {comparison.requests_after} after",
        f"warnings  {comparison.warnings_before} before, {comparison.warnings_after} after",
    ]
    for name, count in comparison.expected.items():
        lines.append(f"expected  {name} x {count}, because {EXPECTED[name].rule}")
    for difference in comparison.differences:
        lines.append(f"DIFFERENT {difference.text}")
    for warning in after.recording.warnings:
        lines.append(f"WARNS     after, line {warning.line}: {warning.message}")
    if not comparison.same_exit_status:
        lines.append(f"EXIT      {before.exit_status} before, {after.exit_status} after")
    elif before.exit_status:
        lines.append(f"note      both sides end with exit status {before.exit_status}")
    for side, run in (("before", before), ("after", after)):
        if run.timed_out:
            lines.append(f"TIME OUT  {side}")
    for stream, same in (("stdout", comparison.same_stdout), ("stderr", comparison.same_stderr)):
        if not same:
            lines.append(stream.upper())
            old, new = (printed(run, stream).splitlines() for run in (before, after))
            lines += difflib.unified_diff(old, new, "before", "after", lineterm="")
    if before.exit_status or after.exit_status:
        for side, run in (("before", before), ("after", after)):
            tail = [line for line in run.stderr.splitlines() if "Warning" not in line][-12:]
            lines += [f"STDERR of {side} (end)", *(f"  {line}" for line in tail)]
    return lines


def run_pair(before: Path, after: Path, run: Callable[[Path], Run]) -> tuple[Run, Run, Comparison]:
    """Run two programs one after the other and compare them."""
    old, new = run(before), run(after)
    return old, new, compare(old, new)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m migrate_milvus.verify.pair",
        description="Run two programs on embedded Milvus Lite and compare what they do.",
    )
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    backend = parser.add_mutually_exclusive_group()
    backend.add_argument(
        "--lite-2.5",
        dest="legacy",
        action="store_true",
        help="also on Milvus Lite 2.5.1 (installed on first use)",
    )
    backend.add_argument(
        "--echo",
        action="store_true",
        help="on the server that answers everything: requests are compared, results made up",
    )
    parser.add_argument("--output", action="store_true", help="print what the programs print")
    options = parser.parse_args(arguments)
    for path in (options.before, options.after):
        if not path.is_file():
            print(f"{path}: no such file", file=sys.stderr)
            return 2
    salt = secrets.token_hex(8)
    equal = True
    try:
        with ExitStack() as stack:
            server: EmbeddedServer = EchoServer() if options.echo else LiteServer()
            name = "echo server" if options.echo else "Milvus Lite 3.2"
            servers = {name: stack.enter_context(server)}
            warm = stack.enter_context(WarmPython())
            if options.legacy:
                from migrate_milvus.verify.legacy import legacy_python

                servers["Milvus Lite 2.5"] = stack.enter_context(LiteServer(str(legacy_python())))
            for name, server in servers.items():

                def run(program: Path, server: EmbeddedServer = server) -> Run:
                    return warm.run(program, address=server.fresh(), salt=salt)

                before, after, comparison = run_pair(options.before, options.after, run)
                fine = comparison.equal and not comparison.warnings_after
                equal = equal and fine
                print(f"{name}: {'EQUAL' if fine else 'NOT EQUAL'}")
                for line in describe(before, after, comparison):
                    print(f"  {line}")
                if options.output:
                    print(before.stdout, end="")
    except (ServerError, RecordingError, OSError) as error:
        print(f"could not run: {error}", file=sys.stderr)
        return 2
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
