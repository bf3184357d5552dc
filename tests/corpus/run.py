"""Run the tool on copies of the corpus and measure what comes out.

    python -m tests.corpus.run [--only NAME] [--keep FOLDER] [--json FILE]
    python -m tests.corpus.run --folders REPOSITORY...

The index part is downloaded once into a cache outside the checkout (``--cache``). Every project is
copied, migrated with ``--write``, and looked at before and after by a detector that shares no code
with the tool. ``table.py`` says what the columns mean. Exit code 0: every number that has to be 0
is 0, and the detector finds at least 95 % of what it should; 1 otherwise; 2: something could not
be fetched or run.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from . import checks, download, notebooks, report, table
from .detector import decode, detect, python_files
from .expected import ARCHIVES, Archive
from .measure import Measured, Tree, measure

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 1800


class RunError(Exception):
    """The tool could not be run on a project."""


@dataclass(frozen=True)
class Project:
    """A tree to measure: which of its files count, and what is known about it.

    ``context`` are further files that the tool and the detector see, as their owner's tools would.
    """

    label: str
    root: Path
    files: tuple[str, ...]
    context: tuple[str, ...] = ()
    expected: int = 0
    library: bool = False


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    try:
        projects = list(chosen(options))
    except (download.DownloadError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    if not projects:
        print("nothing to measure", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="corpus-") as scratch:
        keep = Path(options.keep) if options.keep else Path(scratch) / "trees"
        measured = []
        failed = False
        for project in projects:
            started = time.monotonic()
            try:
                result = run(project, keep / project.label, options, Path(scratch))
            except (RunError, checks.CheckError) as error:
                print(f"{project.label}: {error}", file=sys.stderr)
                failed = True
                continue
            measured.append(result)
            seconds = time.monotonic() - started
            print(f"{project.label}: {result.sites} sites, {seconds:.0f} s", file=sys.stderr)
    if measured:
        print(table.render(measured, options.show))
    if options.json:
        text = json.dumps(table.as_data(measured), indent=1)
        Path(options.json).write_text(text + "\n", encoding="utf-8")
    if failed:
        return 2
    return 0 if all(m.clean and table.trusted(m) for m in measured) else 1


def parser() -> argparse.ArgumentParser:
    lines = (__doc__ or "").splitlines()
    made = argparse.ArgumentParser(prog="python -m tests.corpus.run", description=lines[0])
    made.add_argument("--only", action="append", default=[], help="labels that contain this")
    made.add_argument("--folders", nargs="+", default=[], help="local trees instead of the index")
    made.add_argument("--exclude-tests", action="store_true", help="leave test files out")
    made.add_argument("--keep", help="keep before/, after/, reports and a diff per project here")
    made.add_argument("--json", help="write all numbers and places to this file")
    made.add_argument("--cache", type=Path, default=download.default_cache())
    made.add_argument("--no-types", action="store_true", help="do not run mypy on changed files")
    made.add_argument("--show", type=int, default=10, help="places to print per list")
    made.add_argument("--options", default="", help="further options for the tool, one text")
    made.add_argument(
        "--tool", default=f"{shlex.quote(sys.executable)} -m migrate_milvus", help="the command"
    )
    return made


# -- choosing ------------------------------------------------------------------------------


def chosen(options: argparse.Namespace) -> Iterable[Project]:
    wanted = [name.lower() for name in options.only]

    def named(label: str) -> bool:
        return not wanted or any(name in label.lower() for name in wanted)

    if options.folders:
        for folder in map(Path, options.folders):
            label = folder.resolve().name
            if named(label):
                names = [p.relative_to(folder).as_posix() for p in python_files(folder)]
                library = (folder / "pymilvus" / "orm").is_dir()
                yield Project(label, folder, _kept(names, options), tuple(names), library=library)
        return
    seen: set[str] = set()
    for archive in ARCHIVES:
        folder = download.fetch(archive, options.cache)
        every = user_files(archive, folder)
        names = new_files(folder, every, seen)
        if named(archive.label):
            kept = _kept(names, options)
            expected = 0 if options.exclude_tests else archive.sites
            yield Project(archive.label, folder, kept, tuple(every), expected, archive.from_source)


def user_files(archive: Archive, folder: Path) -> list[str]:
    """The files of an archive that are no library's."""
    names = [path.relative_to(folder).as_posix() for path in python_files(folder)]
    return [n for n in names if not archive.folders or n.split("/")[0] in archive.folders]


def new_files(folder: Path, every: Iterable[str], seen: set[str]) -> list[str]:
    """The files of an archive that count; ORM files that came with an earlier one do not."""
    names = []
    for name in every:
        data = (folder / name).read_bytes()
        if b"pymilvus" in data:
            digest = hashlib.sha256(data).hexdigest()
            if digest in seen:
                continue
            seen.add(digest)
        names.append(name)
    return names


def _kept(names: Iterable[str], options: argparse.Namespace) -> tuple[str, ...]:
    return tuple(name for name in names if not (options.exclude_tests and is_test(name)))


def is_test(name: str) -> bool:
    path = PurePosixPath(name)
    return (
        bool({"test", "tests", "testing"} & set(path.parts[:-1]))
        or path.name.startswith("test_")
        or path.name.endswith("_test.py")
        or path.name == "conftest.py"
    )


# -- running -------------------------------------------------------------------------------


def run(project: Project, folder: Path, options: argparse.Namespace, scratch: Path) -> Measured:
    """Migrate a copy of ``project`` below ``folder`` and measure it."""
    before, after = folder / "before", folder / "after"
    for side in (before, after):
        if side.exists():
            shutil.rmtree(side)
        copy(project, side)
    counted = set(project.files)
    first = migrate(after, folder / "report-1.json", options, "--write").of(counted)
    second = migrate(after, folder / "report-2.json", options).of(counted)
    old, new = (read_tree(side, project.files, project.context) for side in (before, after))
    result = measure(project.label, old, new, first, second, library_tests=project.library)
    result.expected = project.expected
    changed = sorted(name for name in old.texts if old.texts[name] != new.texts.get(name))
    for name in changed:
        if name.endswith(".ipynb"):
            sides = ((side / name).read_bytes() for side in (before, after))
            result.errors += [f"{name}: {what}" for what in notebooks.outside_cells(*sides)]
    was_broken = {line.split(":")[0] for line in checks.syntax_errors(before, changed)}
    result.syntax = [
        line
        for line in checks.syntax_errors(after, changed)
        if line.split(":")[0] not in was_broken
    ]
    result.static = checks.new_static_errors(before, after, changed)
    if not options.no_types:
        result.types = checks.new_type_errors(before, after, changed, scratch)
    (folder / "changes.diff").write_text(diff(old.texts, new.texts), encoding="utf-8")
    return result


def copy(project: Project, target: Path) -> None:
    """The project's files and settings, without the library that came along with them."""
    settings = [name for name in download.SETTINGS if (project.root / name).is_file()]
    target.mkdir(parents=True)
    for name in (*dict.fromkeys((*project.files, *project.context)), *settings):
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((project.root / name).read_bytes())


def migrate(
    tree: Path, report_file: Path, options: argparse.Namespace, *mode: str
) -> report.Report:
    """Run the tool in ``tree``. Exit code 2 is allowed: the report says which files failed."""
    command = [*shlex.split(options.tool), ".", *mode, "--report", f"json={report_file.resolve()}"]
    command += shlex.split(options.options)
    sources = [str(ROOT / name) for name in ("codemod", "rules")]
    inherited = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([*sources, inherited] if inherited else sources)
    report_file.unlink(missing_ok=True)
    try:
        done = subprocess.run(
            command,
            cwd=tree,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RunError(str(error)) from None
    if done.returncode not in (0, 1, 2) or "Traceback" in done.stderr or not report_file.exists():
        raise RunError(f"exit code {done.returncode}\n{done.stderr.strip()[-3000:]}")
    return report.read(report_file, tree)


def read_tree(root: Path, names: Iterable[str], context: Iterable[str] = ()) -> Tree:
    names = list(names)
    texts = {}
    for name in names:
        try:
            texts[name] = decode((root / name).read_bytes(), name)
        except (ValueError, LookupError, SyntaxError):
            texts[name] = (root / name).read_bytes().decode("latin-1")
    detected = detect(root, [root / name for name in dict.fromkeys((*names, *context))])
    return Tree(texts, detected)


def diff(old: dict[str, str], new: dict[str, str]) -> str:
    parts: list[str] = []
    for name in sorted(old):
        if old[name] != new.get(name, ""):
            parts += difflib.unified_diff(
                old[name].splitlines(keepends=True),
                new.get(name, "").splitlines(keepends=True),
                f"before/{name}",
                f"after/{name}",
            )
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in parts)


if __name__ == "__main__":
    sys.exit(main())
