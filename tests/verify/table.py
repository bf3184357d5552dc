"""Verify many programs, and print a table: ``python -m tests.verify.table [--fixtures] FILE...``.

Run by hand, from the top folder, in the environment of the tests. Each program gets a project of
its own. What cannot run on Milvus Lite is compared on the echo server, as far as it goes there.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).parents[2]
sys.path[:0] = [str(TOP), str(TOP / "codemod"), str(TOP / "rules")]

from migrate_milvus import pipeline  # noqa: E402
from migrate_milvus.settings import Settings  # noqa: E402
from migrate_milvus.verify import recorder, report  # noqa: E402
from migrate_milvus.verify.programs import WarmPython  # noqa: E402
from migrate_milvus.verify.server import EchoServer, LiteServer  # noqa: E402
from migrate_milvus.verify.trace import Run  # noqa: E402
from migrate_milvus.verify.verifying import (  # noqa: E402
    ECHO,
    LITE,
    CannotVerify,
    Job,
    Status,
    Verdict,
    verify,
)
from tests.fixtures.cases import all_cases  # noqa: E402

FORM = "{:<58} {:<5} {:>8} {:>6} {:>6} {:>6} {:>9} {:>8}  {}"
HEAD = ("program", "on", "compared", "differ", "expect", "unstab", "warnings", "seconds", "verdict")


@dataclass
class Bench:
    """What all programs share: a warm Python and the servers."""

    warm: WarmPython
    servers: Mapping[str, LiteServer | EchoServer]
    timeout: float
    beside: Sequence[Path] = ()

    def run(
        self,
        command: Sequence[str],
        *,
        address: str,
        cwd: Path,
        salt: str,
        environment: Mapping[str, str],
        timeout: float | None,
    ) -> Run:
        """Run the program in a fork."""
        program = cwd / command[-1]
        seed = {recorder.SEED: "1"}
        return self.warm.run(
            program, address=address, salt=salt, timeout=self.timeout, environment=seed
        )

    def verify(
        self,
        program: Path,
        backend: str,
        migrate: Callable[[Settings], pipeline.RunResult],
        allow_failure: bool,
    ) -> Verdict:
        """Verify one program, as the only one of a project."""
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder).resolve()
            name = program.name if program.name != "before.py" else "program.py"
            (root / name).write_bytes(program.read_bytes())
            for path in self.beside:
                shutil.copytree(path, root / path.name)
            job = Job(
                settings=Settings(root=root, paths=(root,), target_python=(3, 10)),
                command=("python", name),
                cwd=root,
                backend=backend,
                timeout=self.timeout,
                allow_failure=allow_failure,
            )
            server = self.servers[backend]
            return verify(job, migrate=migrate, run=self.run, addresses=server.fresh)


def after_of(text: str) -> Callable[[Settings], pipeline.RunResult]:
    """The migration of a fixture: what its ``after.py`` says (which another test checks)."""
    from tests.verify.conftest import writing

    return writing(text)


@dataclass(frozen=True)
class Work:
    """One program and how to verify it: on which backends, and whether it may fail there."""

    name: str
    program: Path
    migrate: Callable[[Settings], pipeline.RunResult] = pipeline.run
    on: Sequence[tuple[str, bool]] = ((LITE, False), (ECHO, False), (ECHO, True))


def fixtures() -> Iterator[Work]:
    """All fixtures that change and run on a server that is here."""
    for case in all_cases():
        said = case.toml
        if case.after is None or not said.get("run", True) or said.get("oracle") == ["2.5"]:
            continue  # it says why
        program = TOP / "fixtures" / case.name / "before.py"
        if not program.exists():
            continue  # a notebook or a document
        backend = ECHO if said.get("backend") == "echo" else LITE
        fails = "exit" in said
        yield Work(case.name, program, after_of(case.after), ((backend, fails),))


def row(bench: Bench, work: Work) -> tuple[str, Verdict | None]:
    """One line of the table."""
    name = work.name
    began = time.monotonic()
    why = ""
    for backend, allow_failure in work.on:
        try:
            verdict = bench.verify(work.program, backend, work.migrate, allow_failure)
        except CannotVerify as error:
            why = str(error)
            continue
        seconds = f"{time.monotonic() - began:.1f}"
        comparison = verdict.comparison
        if comparison is None:
            return FORM.format(name, "-", "", "", "", "", "", seconds, verdict.status.value), None
        ends = " (fails on both sides)" if allow_failure and not verdict.exit_code else ""
        warnings = f"{comparison.warnings_before}->{comparison.warnings_after}"
        line = FORM.format(
            name, backend, comparison.compared, len(verdict.differences),
            len(comparison.accepted), len(verdict.unstable), warnings, seconds,
            verdict.status.value + ends,
        )  # fmt: skip
        return line, verdict
    seconds = f"{time.monotonic() - began:.1f}"
    return FORM.format(name, "-", "", "", "", "", "", seconds, why), None


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Verify many programs.")
    parser.add_argument("programs", nargs="*", type=Path)
    parser.add_argument("--fixtures", action="store_true", help="all fixtures that change")
    parser.add_argument("--only", default="", help="fixtures with this in their name")
    parser.add_argument("--timeout", type=float, default=120)
    parser.add_argument(
        "--beside", action="append", type=Path, default=[], help="a folder that programs import"
    )
    parser.add_argument("--show", action="store_true", help="print the report where they differ")
    options = parser.parse_args()
    work = [
        Work(f"{path.parent.parent.name}/{path.name}", path.resolve()) for path in options.programs
    ]
    if options.fixtures:
        work += [item for item in fixtures() if options.only in item.name]
    with ExitStack() as stack:
        bench = Bench(
            stack.enter_context(WarmPython()),
            {
                LITE: stack.enter_context(LiteServer()),
                ECHO: stack.enter_context(EchoServer()),
            },
            options.timeout,
            options.beside,
        )
        print(FORM.format(*HEAD), flush=True)
        for item in work:
            line, verdict = row(bench, item)
            print(line, flush=True)
            if options.show and verdict is not None and verdict.status is Status.DIFFERENT:
                print(report.text(verdict), flush=True)


if __name__ == "__main__":
    main()
