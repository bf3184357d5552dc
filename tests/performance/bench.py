"""Measure the speed of the tool as ratios, all in one run on one machine.

``python -m tests.performance.bench`` (from the top folder, in the environment of the tests) prints
a table: what was measured, processor time, the floor it is compared with, and the ratio with its
budget. ``--profile`` adds the hottest functions of the migration. Nothing is asserted: times belong
to a machine.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import os
import pstats
import resource
import subprocess
import sys
import sysconfig
import tempfile
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).parents[2]
sys.path[:0] = [str(TOP / "codemod"), str(TOP / "rules")]


@dataclass(frozen=True)
class Row:
    """One measurement against its floor, in seconds of processor time."""

    what: str
    seconds: float
    floor: float
    budget: float

    def __str__(self) -> str:
        ratio = self.seconds / self.floor
        verdict = "" if ratio <= self.budget else "  OVER"
        return (
            f"{self.what:<52} {self.seconds:8.3f} {self.floor:8.3f} "
            f"{ratio:7.2f} {self.budget:7.2f}{verdict}"
        )


def _processor() -> float:
    """Processor time of this process and its children."""
    own, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def best(action: Callable[[], object], rounds: int) -> float:
    """The least processor time of some rounds: what is above it is noise."""
    times = []
    for _ in range(rounds):
        start = _processor()
        action()
        times.append(_processor() - start)
    return min(times)


def against(
    floor: Callable[[], object], action: Callable[[], object], rounds: int
) -> tuple[float, float]:
    """The least processor times of a floor and an action, measured in turns."""
    times = [(best(floor, 1), best(action, 1)) for _ in range(rounds)]
    return min(first for first, _ in times), min(second for _, second in times)


def python(*arguments: str) -> Callable[[], object]:
    """Runs a Python of its own."""
    # As installed: compiled once. A checkout may lie in a folder where nothing can be written.
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path[:2]),
        "PYTHONPYCACHEPREFIX": tempfile.gettempdir() + "/migrate-milvus-bench",
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def run() -> None:
        subprocess.run(
            [sys.executable, *arguments],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )

    return run


def scan(root: Path) -> None:
    """List the Python files below ``root`` and look for the library's name in their bytes."""
    for folder, _, names in os.walk(root):
        for name in names:
            if name.endswith((".py", ".pyi", ".ipynb")):
                with open(os.path.join(folder, name), "rb") as file:
                    b"pymilvus" in file.read()  # noqa: B015


def migrate_tree(root: Path, jobs: int = 1) -> None:
    """The whole run on a tree, without output."""
    from migrate_milvus import pipeline
    from migrate_milvus.settings import Settings

    pipeline.run(Settings(root=root, paths=(root,), target_python=(3, 10), jobs=jobs))


def plain_tree(root: Path) -> int:
    """Python's own library, as a project without ORM code; returns the number of files."""
    library = Path(sysconfig.get_paths()["stdlib"])
    number = 0
    for source in library.rglob("*.py"):
        relative = source.relative_to(library)
        if "site-packages" in relative.parts or "__pycache__" in relative.parts:
            continue
        target = root / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
        number += 1
    (root / ".git").mkdir()
    return number


def orm_tree(root: Path, number: int) -> list[Path]:
    """Files with ORM code: fixtures, each as a function, seven a file (then 3 to 4 kB)."""
    bodies: list[str] = []
    for source in sorted((TOP / "fixtures").rglob("before.py")):
        body = f"def program_{len(bodies)}():\n" + textwrap.indent(source.read_text(), "    ")
        try:
            compile(body, str(source), "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            continue  # what may only stand at the top of a module
        bodies.append(body)
    written = []
    for index in range(number):
        target = root / f"program_{index}.py"
        target.write_text("\n\n".join(bodies[(index + k * number) % len(bodies)] for k in range(7)))
        written.append(target)
    (root / ".git").mkdir()
    return written


def measure_plain(work: Path, rounds: int) -> Row:
    """A tree without ORM code, against listing and scanning it."""
    root = work / "plain"
    root.mkdir()
    files = plain_tree(root)
    migrate_tree(root)  # imports
    floor, seconds = against(lambda: scan(root), lambda: migrate_tree(root), rounds)
    return Row(f"tree without ORM code ({files} files) / list and scan", seconds, floor, 1.5)


def measure_orm(work: Path, rounds: int, number: int) -> tuple[Row, Path]:
    """A tree with ORM code, against a LibCST parse of the candidates."""
    import libcst

    root = work / "orm"
    root.mkdir()
    texts = [path.read_bytes().decode() for path in orm_tree(root, number)]

    def parse() -> None:
        for text in texts:
            libcst.parse_module(text)

    migrate_tree(root)  # imports
    parse()
    floor, seconds = against(parse, lambda: migrate_tree(root), rounds)
    kilobytes = sum(map(len, texts)) / 1000
    what = f"tree with ORM code ({len(texts)} files, {kilobytes:.0f} kB) / LibCST parse"
    return Row(what, seconds, floor, 5.0), root


def measure_processes(work: Path) -> Row:
    """The same tree with two processes against one, in seconds that pass."""
    root = work / "both"
    root.mkdir()
    orm_tree(root, 160)
    seconds = {}
    for jobs in (1, 2):
        start = time.perf_counter()
        migrate_tree(root, jobs)
        seconds[jobs] = time.perf_counter() - start
    what = "two processes / one (160 files, seconds that pass)"
    return Row(what, seconds[2], seconds[1], 1 / 1.6)


def measure_start(work: Path, rounds: int) -> list[Row]:
    """The start of the command line, against an import of click."""
    root = work / "single"
    root.mkdir()
    (root / ".git").mkdir()
    (root / "app.py").write_text("print()\n")
    click = best(python("-c", "import click"), rounds)
    help_ = best(python("-m", "migrate_milvus", "--help"), rounds)
    one = best(python("-m", "migrate_milvus", str(root / "app.py")), rounds)
    return [
        Row("--help / import click", help_, click, 1.5),
        Row("one file without ORM code / import click", one, click, 1.5),
    ]


def profile(root: Path, lines: int) -> str:
    """The functions of the tool that cost most by themselves."""
    profiler = cProfile.Profile()
    profiler.runcall(migrate_tree, root)
    out = io.StringIO()
    pstats.Stats(profiler, stream=out).sort_stats("tottime").print_stats(lines)
    return out.getvalue().replace(str(TOP) + os.sep, "")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure the speed of migrate-milvus.")
    parser.add_argument("--rounds", type=int, default=3, help="of each measurement, best taken")
    parser.add_argument("--files", type=int, default=40, help="with ORM code")
    parser.add_argument("--profile", type=int, metavar="LINES", help="print the hottest functions")
    options = parser.parse_args()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        orm, root = measure_orm(work, options.rounds, options.files)
        rows = [measure_plain(work, options.rounds), orm, *measure_start(work, options.rounds)]
        if (os.cpu_count() or 1) > 1:
            rows.insert(2, measure_processes(work))
        print(f"{'':<52} {'time':>8} {'floor':>8} {'ratio':>7} {'budget':>7}")
        for row in rows:
            print(row)
        print(f"processor time in seconds; took {time.perf_counter() - start:.0f} s")
        if options.profile:
            print(profile(root, options.profile))


if __name__ == "__main__":
    main()
