"""Discovery: which files of the project can matter.

The analysis always covers the whole project; the given paths only limit what is written and
reported. Files are listed by git where it is at hand (so that .gitignore counts), else by walking;
then a scan of their bytes decides. Paths are plain strings here: a project has thousands.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from migrate_milvus import git
from migrate_milvus.document import (
    MAX_NOTEBOOK_BYTES,
    NO_MODULES,
    NOTEBOOK,
    PAGES,
    Document,
    DocumentError,
    refuse_size,
)
from migrate_milvus.settings import Settings, locate

if TYPE_CHECKING:
    import ast
    import subprocess

    from pathspec import GitIgnoreSpec

NEEDLE = b"pymilvus"
SUFFIXES = (".py", ".pyw", NOTEBOOK)
SKIPPED_FOLDERS = frozenset(
    [
        ".git",
        ".hg",
        ".svn",
        ".tox",
        ".nox",
        "node_modules",
        "site-packages",
        "__pycache__",
        ".ipynb_checkpoints",
    ]
)
# A folder that holds one of these is an environment of installed packages.
ENVIRONMENT_MARKS = ("pyvenv.cfg", "conda-meta")
_MARKS = ("/pyvenv.cfg", "/conda-meta/")

_CHUNK = 1 << 24


@dataclass(frozen=True)
class Source:
    """The bytes of a file that can matter; ``wanted`` when it lies in the given paths."""

    path: str
    name: str
    data: bytes
    wanted: bool


@dataclass(frozen=True)
class Problem:
    """A path that could not be handled: its name, and why, for the user."""

    name: str
    reason: str
    message: str


@dataclass(frozen=True)
class Discovery:
    """What was found.

    ``candidates`` say ``pymilvus``; ``importers`` do not, but imports connect them with a
    candidate, so that the analysis knows where its objects go. ``scanned`` counts the files whose
    bytes were searched.
    """

    candidates: tuple[Source, ...] = ()
    importers: tuple[Source, ...] = ()
    problems: tuple[Problem, ...] = ()
    scanned: int = 0


def discover(settings: Settings, progress: Callable[[int, int], None] | None = None) -> Discovery:
    """Find the files that matter to ``settings``.

    ``progress`` is told, now and then, how many of how many files have been scanned.
    """
    root = str(settings.root)
    problems: list[Problem] = []
    folders, files = _given(settings, problems)
    if not folders and not _may_matter(files, root):
        return Discovery(problems=tuple(problems), scanned=len(files))
    listed = _list_project(settings, folders, problems)
    named = dict.fromkeys(files)  # named explicitly: whatever its suffix, however ignored
    paths = sorted(named | dict.fromkeys(listed))
    excluded = _excluder(settings)
    prefixes = tuple(_inside(folder) for folder in folders)

    candidates: list[Source] = []
    others: list[str] = []
    for number, path in enumerate(paths):
        if progress and not number & 255:
            progress(number, len(paths))
        if excluded and excluded(path):
            continue
        wanted = path in named or path.startswith(prefixes)
        try:
            data = _scan(path)
        except _NotAFile:
            continue
        except FileNotFoundError:
            if path in named:  # in git's index only: deleted files are no problem
                problems.append(Problem(display(path, root), "no-such-path", "no such file"))
        except DocumentError as error:
            if wanted:
                problems.append(Problem(display(path, root), error.reason, str(error)))
        except OSError as error:
            if wanted:
                why = f"cannot be read: {(error.strerror or str(error)).lower()}"
                problems.append(Problem(display(path, root), "unreadable", why))
        else:
            if data is None:
                others.append(path)
            else:
                candidates.append(Source(path, display(path, root), data, wanted))
    candidates = _once(candidates)
    importers = [
        Source(path, display(path, root), data, path in named or path.startswith(prefixes))
        for path, data in sorted(_connected(candidates, others, root))
    ]
    return Discovery(tuple(candidates), tuple(importers), tuple(problems), len(paths))


def display(path: str, root: str) -> str:
    """How ``path`` is called in reports: as seen from the working directory, else absolute.

    Bytes of a file name that are no text come out as replacement characters.
    """
    here = os.getcwd()
    if path.startswith(_inside(here)):
        name = path[len(_inside(here)) :]
    elif here.startswith(_inside(root)) and path.startswith(_inside(root)):
        name = os.path.relpath(path, here)
    else:
        name = path
    if os.sep != "/":
        name = name.replace(os.sep, "/")
    return os.fsencode(name).decode("utf-8", "replace")


def _given(settings: Settings, problems: list[Problem]) -> tuple[list[str], list[str]]:
    """The given paths as folders and files; what does not exist becomes a problem."""
    folders: list[str] = []
    files: list[str] = []
    for given in settings.paths or (settings.root,):
        path = str(locate(given))
        name = display(path, str(settings.root))
        try:
            mode = os.stat(path).st_mode
        except FileNotFoundError:
            problems.append(Problem(name, "no-such-path", "no such file or folder"))
        except OSError as error:
            why = f"cannot be read: {(error.strerror or str(error)).lower()}"
            problems.append(Problem(name, "unreadable", why))
        else:
            if stat.S_ISDIR(mode):
                folders.append(path)
            elif not stat.S_ISREG(mode):
                problems.append(Problem(name, "not-a-file", "neither a file nor a folder"))
            else:
                files.append(path)
    return folders, files


def _inside(folder: str) -> str:
    return folder if folder.endswith(os.sep) else folder + os.sep


# ---- listing -------------------------------------------------------------------------------------


def _list_project(settings: Settings, given: Sequence[str], problems: list[Problem]) -> set[str]:
    """Every Python file of the project, and of the given folders even where git ignores them."""
    root = str(settings.root)
    report = _reporter(root, [*given], problems)
    shallow = root in (os.path.expanduser("~"), os.path.dirname(root)) and root not in given
    prune = _excluder(settings)
    suffixes = (*SUFFIXES, *PAGES) if settings.docs else SUFFIXES
    if shallow:  # a home folder is no project: a file in it has its own folder as context
        found = {entry.path for entry in os.scandir(root) if entry.name.endswith(suffixes)}
    else:
        found = set(_list_folder(root, suffixes, prune, report))
    found = _outside_skipped(found, root)
    for folder in given:
        inside = _inside(folder)
        if not any(path.startswith(inside) for path in found):
            found.update(_walk(folder, suffixes, prune, report))
    return found


def _reporter(root: str, given: list[str], problems: list[Problem]) -> Callable[[str, str], None]:
    """Records a folder that could not be listed, if it concerns the given paths."""
    known: set[str] = set()

    def report(folder: str, why: str) -> None:
        concerned = any(
            (folder + os.sep).startswith(_inside(path)) or path.startswith(_inside(folder))
            for path in given
        )
        if concerned and folder not in known:
            known.add(folder)
            problems.append(Problem(display(folder, root), "unreadable", f"cannot be read: {why}"))

    return report


def _list_folder(
    folder: str,
    suffixes: tuple[str, ...],
    prune: Callable[[str], bool] | None,
    report: Callable[[str, str], None],
) -> Iterator[str]:
    listed = _list_with_git(folder, suffixes, report) if os.path.exists(f"{folder}/.git") else None
    if listed is None:
        yield from _walk(folder, suffixes, prune, report)
        return
    for path in listed:
        if path.endswith(os.sep):  # a repository inside this one
            if _enters(os.path.basename(path[:-1])):
                yield from _list_folder(path[:-1], suffixes, prune, report)
        else:
            yield path


def ask_git(folder: str | os.PathLike[str]) -> subprocess.CompletedProcess[bytes] | None:
    """What ``git ls-files`` says of the files in ``folder`` that it tracks or would track.

    The names end in zero bytes, repositories inside this one in a slash; None when git cannot tell.
    """
    # No pathspec: it would hide the repositories inside this one, and the marks of environments.
    return git.ask(folder, "ls-files", "-co", "--exclude-standard", "-z")


def _list_with_git(
    folder: str, suffixes: tuple[str, ...], report: Callable[[str, str], None]
) -> list[str] | None:
    """What git tracks or would track in ``folder``, None when git cannot tell.

    Repositories inside this one end in a slash. Environments are left out.
    """
    done = ask_git(folder)
    if done is None:
        return None
    for line in done.stderr.decode("utf-8", "replace").splitlines():
        match = re.match(r"warning: could not open directory '(.*)/': (.*)", line)
        if match:
            report(os.path.join(folder, match[1]), match[2].lower())
    names = os.fsdecode(done.stdout).split("\0")
    environments = tuple(
        {name[: name.index(mark) + 1] for name in names for mark in _MARKS if mark in name}
    )
    kept = [
        name
        for name in names
        if name.endswith((*suffixes, "/")) and not (environments and name.startswith(environments))
    ]
    kept += _submodules(os.path.join(folder, ".gitmodules"))
    prefix = _inside(folder)
    return [prefix + (name if os.sep == "/" else name.replace("/", os.sep)) for name in kept]


def _submodules(file: str) -> list[str]:
    """The folders of git submodules, each with a slash at its end."""
    try:
        with open(file, encoding="utf-8", errors="surrogateescape") as stream:
            found = re.findall(r"^\s*path\s*=\s*(.+?)\s*$", stream.read(), re.M)
    except OSError:
        return []
    return [
        f"{name}/" for name in found if os.path.isdir(os.path.join(os.path.dirname(file), name))
    ]


def _walk(
    top: str,
    suffixes: tuple[str, ...],
    prune: Callable[[str], bool] | None,
    report: Callable[[str, str], None],
) -> Iterator[str]:
    """Python files under ``top``, by hand: .gitignore files count, links to folders do not."""
    stack: list[tuple[str, tuple[tuple[str, GitIgnoreSpec], ...]]] = [(top, ())]
    while stack:
        folder, specs = stack.pop()
        try:
            with os.scandir(folder) as entries:
                found = list(entries)
        except OSError as error:
            report(folder, (error.strerror or str(error)).lower())
            continue
        names = {entry.name for entry in found}
        if folder != top and not names.isdisjoint(ENVIRONMENT_MARKS):
            continue
        if ".gitignore" in names:
            specs = (*specs, (_inside(folder), _gitignore(os.path.join(folder, ".gitignore"))))
        for entry in found:
            is_folder = entry.is_dir(follow_symlinks=False)
            if is_folder:
                if not _enters(entry.name):
                    continue
            elif not entry.name.endswith(suffixes):
                continue
            path = entry.path
            if specs and _ignored(path + os.sep if is_folder else path, specs):
                continue
            if not is_folder:
                yield path  # what is no file after all, the scan will see
            elif not (prune and prune(path + os.sep)):
                stack.append((path, specs))


def _enters(name: str) -> bool:
    return name not in SKIPPED_FOLDERS


def _outside_skipped(paths: Iterable[str], root: str) -> set[str]:
    """``paths`` without those in folders that are never entered (git may track such folders)."""
    start = len(_inside(root))
    return {p for p in paths if SKIPPED_FOLDERS.isdisjoint(p[start:].split(os.sep)[:-1])}


def _gitignore(file: str) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    try:
        with open(file, encoding="utf-8", errors="surrogateescape") as stream:
            return GitIgnoreSpec.from_lines(stream)
    except (OSError, ValueError):
        return GitIgnoreSpec.from_lines([])


def _ignored(path: str, specs: Sequence[tuple[str, GitIgnoreSpec]]) -> bool:
    """Whether the .gitignore nearest to ``path`` that speaks about it says so."""
    for base, spec in reversed(specs):
        answer = spec.check_file(path[len(base) :].replace(os.sep, "/")).include
        if answer is not None:
            return answer
    return False


def _excluder(settings: Settings) -> Callable[[str], bool] | None:
    """A test for paths (folders end in a slash) that the user excluded, None without patterns."""
    if not settings.exclude:
        return None
    from pathspec import GitIgnoreSpec

    spec = GitIgnoreSpec.from_lines(settings.exclude)
    prefix = _inside(str(settings.root))

    def excluded(path: str) -> bool:
        inside = path.startswith(prefix)
        return inside and spec.match_file(path[len(prefix) :].replace(os.sep, "/"))

    return excluded


# ---- scanning ------------------------------------------------------------------------------------


def _scan(path: str) -> bytes | None:
    """The bytes of the file if they say ``pymilvus``, else None; raises OSError."""
    with _opened(path) as descriptor:
        size = os.fstat(descriptor).st_size
        notebook = path.endswith(NOTEBOOK)  # mostly outputs, and read whole
        if size <= _CHUNK or (notebook and size <= MAX_NOTEBOOK_BYTES):
            data = _content(descriptor, size)
            return data if NEEDLE in data else None
        # Too large for a program: searched piece by piece; the reader of documents will refuse it.
        tail = b""
        while piece := os.read(descriptor, _CHUNK):
            if NEEDLE in tail + piece:
                if notebook:
                    refuse_size(size, MAX_NOTEBOOK_BYTES)
                return tail + piece
            tail = piece[-len(NEEDLE) :]
        return None


def _read(path: str) -> bytes:
    """The bytes of the file; of a file too large for a program, only its beginning."""
    with _opened(path) as descriptor:
        limit = MAX_NOTEBOOK_BYTES if path.endswith(NOTEBOOK) else _CHUNK
        return _content(descriptor, min(os.fstat(descriptor).st_size, limit))


class _NotAFile(OSError):
    """A link to a folder, a pipe or a device, by the name of a Python file."""


class _opened:
    """Opens a regular file for reading; raises OSError for anything else.

    A class, because it runs once per file of the project. Without O_NONBLOCK, opening a named
    pipe (through a link called ``x.py``) would wait for a writer for ever.
    """

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))

    def __enter__(self) -> int:
        if not stat.S_ISREG(os.fstat(self._descriptor).st_mode):
            os.close(self._descriptor)
            raise _NotAFile
        return self._descriptor

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def _content(descriptor: int, size: int) -> bytes:
    data = os.read(descriptor, size)
    while len(data) < size:  # a read may return less than was asked for
        more = os.read(descriptor, size - len(data))
        if not more:
            break
        data += more
    return data


def _once(sources: Sequence[Source]) -> list[Source]:
    """Each real file once, under its own path rather than a link's."""
    chosen: dict[str, Source] = {}
    for source in sources:
        real = os.path.realpath(source.path)
        earlier = chosen.get(real)
        if earlier is None:
            chosen[real] = source
        else:
            best = source if source.path == real else earlier
            chosen[real] = replace(best, wanted=source.wanted or earlier.wanted)
    return list(chosen.values())


# ---- imports -------------------------------------------------------------------------------------


def _may_matter(files: Sequence[str], root: str) -> bool:
    """Whether any of the given files says ``pymilvus`` or imports from its own project."""
    for path in files:
        try:
            if _scan(path) is not None:
                return True
            data = _read(path)
        except OSError:
            return True  # the run will say what is wrong
        if any(_in_project(names, path, root) for names in imported(data, path, root)):
            return True
    return False


def _in_project(names: tuple[str, ...], path: str, root: str) -> bool:
    """Whether an imported module's first part can be a module of the project."""
    if not names:
        return True
    folder = os.path.dirname(path)
    places = {os.path.join(root, "src"), root, folder}
    while folder.startswith(_inside(root)):
        folder = os.path.dirname(folder)
        places.add(folder)
    return any(
        os.path.isdir(os.path.join(place, names[0]))
        or os.path.isfile(os.path.join(place, f"{names[0]}.py"))
        for place in places
    )


def _connected(
    candidates: Sequence[Source], others: Sequence[str], root: str
) -> Iterator[tuple[str, bytes]]:
    """Those of ``others`` that imports connect with a candidate, however far, with their bytes.

    Objects go both ways: to who imports a module, and to what it imports. What a ``conftest.py``
    makes goes to the tests below it, which do not import it.
    """
    left = dict.fromkeys(others)
    new = [(source.path, source.data) for source in candidates]
    while new and left:
        found = dict(_importers(new, left, root))
        found.update(_imported_by(new, left, root))
        found.update(_tests_of(new, left))
        for path in found:
            del left[path]
        new = list(found.items())
        yield from new


def _importers(
    modules: Sequence[tuple[str, bytes]], others: Iterable[str], root: str
) -> Iterator[tuple[str, bytes]]:
    """Those of ``others`` that import one of the modules, or name it in a text as tests do."""
    parts_of = {
        module_parts(path, root)
        for path, _ in modules
        if not path.lower().endswith(tuple(NO_MODULES))
    }
    parts_of = {parts for parts in parts_of if parts and parts[-1].isidentifier()}
    if not parts_of:
        return
    suffixes = {parts[start:] for parts in parts_of for start in range(len(parts))}
    stems = sorted({parts[-1] for parts in parts_of})
    # To a pattern for bytes, a letter beyond ASCII is no letter.
    words = [stem.encode() if not stem.isascii() else rb"\b%b\b" % stem.encode() for stem in stems]
    word = rb"(?:" + b"|".join(words) + rb")"
    line = re.compile(rb"\b(?:from|import)\b[^\n\r]*" + word)
    mention = re.compile(word)
    several_lines = re.compile(rb"\bimport[ \t]*(?:\(|\\)|\bfrom\b[^\n\r]*\\[\r\n]")
    for path in others:
        try:
            data = _read(path)
        except OSError:
            continue
        mentioned = line.search(data) or (several_lines.search(data) and mention.search(data))
        # ``from . import x`` with the package itself as candidate never says the package's name.
        relative = b"from ." in data
        patches = (b"patch" in data or b"import_module" in data) and mention.search(data)
        if not mentioned and not relative and not patches:
            continue
        named = imported(data, path, root)
        if patches:
            named = {*named, *_patched(data)}
        if not named.isdisjoint(suffixes):
            yield path, data


_DOTTED = re.compile(rb"['\"](\w+(?:\.\w+)*)['\"]")


def _patched(data: bytes) -> Iterator[tuple[str, ...]]:
    """The modules in texts: ``patch("app.db.utility")``, ``import_module("app.db")``."""
    for text in _DOTTED.findall(data):
        parts = tuple(text.decode("utf-8", "replace").split("."))
        yield from (parts[:end] for end in range(1, len(parts) + 1))


def _imported_by(
    modules: Sequence[tuple[str, bytes]], others: Iterable[str], root: str
) -> Iterator[tuple[str, bytes]]:
    """Those of ``others`` that one of the modules imports."""
    by_stem: dict[bytes, list[tuple[str, tuple[str, ...]]]] = {}
    for path in others:
        parts = module_parts(path, root)
        if parts:
            by_stem.setdefault(parts[-1].encode("utf-8", "replace"), []).append((path, parts))
    if not by_stem:
        return
    for path, data in modules:
        # Parsing is for those alone that name one of the files.
        named = by_stem.keys() & set(_WORD.findall(data))
        if not named:
            continue
        names = imported(data, path, root)
        for stem in named:
            for other, parts in by_stem[stem]:
                if any(parts[start:] in names for start in range(len(parts))):
                    try:
                        yield other, _read(other)
                    except OSError:
                        continue


_WORD = re.compile(rb"[^\W\d]\w*|[^\x00-\x7f]+")
_FIXTURE = re.compile(rb"@[\w.]*fixture\b[^@]*?\bdef\s+(\w+)")


def _tests_of(
    modules: Sequence[tuple[str, bytes]], others: Iterable[str]
) -> Iterator[tuple[str, bytes]]:
    """Those of ``others`` that may take a fixture of one of the modules."""
    for path, data in modules:
        if os.path.basename(path) != "conftest.py" or not (names := _FIXTURE.findall(data)):
            continue
        inside = _inside(os.path.dirname(path))
        mention = re.compile(rb"\b(?:" + b"|".join(map(re.escape, names)) + rb")\b")
        for other in others:
            if other.startswith(inside):
                try:
                    found = _read(other)
                except OSError:
                    continue
                if mention.search(found):
                    yield other, found


def module_parts(path: str, root: str) -> tuple[str, ...]:
    """The dotted name of a file, as seen from ``root``, in parts; a package is its folder."""
    inside = path[len(_inside(root)) :] if path.startswith(_inside(root)) else path.lstrip(os.sep)
    parts = inside.split(os.sep)
    stem = parts[-1].rsplit(".", 1)[0]
    return tuple(parts[:-1]) if stem == "__init__" else (*parts[:-1], stem)


def imported(data: bytes, path: str, root: str) -> set[tuple[str, ...]]:
    """Every module that a file may import, as name parts; relative ones as seen from ``root``.

    ``from a import b`` may mean the module ``a.b``, so both are named. Empty when the file cannot
    be parsed.
    """
    from migrate_milvus.syntax import tree_of

    code: bytes | str = data
    if path.lower().endswith(tuple(NO_MODULES)):
        try:
            code = Document.from_bytes(data, path, Path(path)).text
        except DocumentError:
            return set()
    tree = tree_of(code)
    if tree is None:
        return set()
    package = module_parts(os.path.join(os.path.dirname(path), "__init__.py"), root)
    found: set[tuple[str, ...]] = set()
    for node in _imports(tree):
        for names in _named(node, package):
            found.add(names)
    return found


def _named(
    node: ast.Import | ast.ImportFrom, package: tuple[str, ...]
) -> Iterator[tuple[str, ...]]:
    import ast

    if isinstance(node, ast.Import):
        for alias in node.names:
            parts = tuple(alias.name.split("."))
            yield from (parts[:end] for end in range(1, len(parts) + 1))
        return
    module = tuple(node.module.split(".")) if node.module else ()
    if node.level:
        module = (*package[: len(package) - node.level + 1], *module)
    yield module
    for alias in node.names:
        yield (*module, alias.name)


def _imports(tree: ast.Module) -> Iterator[ast.Import | ast.ImportFrom]:
    import ast

    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        elif not isinstance(node, ast.expr):  # expressions hold no statements
            stack.extend(ast.iter_child_nodes(node))
