"""Copies of a project to run a command in, so that the user's own tree is never touched.

A copy holds what git tracks or would track (without git: what no ``.gitignore`` names), untracked
files included. Environments inside the project are linked, not copied.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from migrate_milvus.discover import ask_git

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_SKIPPED = frozenset((".git", ".hg", ".svn", ".tox", ".nox", "__pycache__"))
_LINKED = frozenset(("node_modules", "site-packages"))
_ENVIRONMENT_MARKS = ("pyvenv.cfg", "conda-meta")
MOST_BYTES = 2 << 30


class CopyError(Exception):
    """The project cannot be copied; the message says why and what to do."""


@dataclass(frozen=True)
class Listing:
    """What a copy will hold, as paths relative to the project: files, and folders to link."""

    files: tuple[str, ...]
    links: tuple[str, ...]


def list_project(root: Path, include: Sequence[Path] = ()) -> Listing:
    """List what a copy of the project needs.

    ``include`` are files and folders that are copied although git ignores them.

    Raises:
        CopyError: when there is too much of it.
    """
    listed = _with_git(root)
    if listed is None:
        listed = set(_by_hand(root))
    for path in include:
        relative = os.path.relpath(path, root)
        if path.is_dir() and not path.is_symlink():
            listed.update(_everything(root, relative))
        else:
            listed.add(relative)
    links = tuple(_environments(root))
    inside = tuple(link + os.sep for link in links)
    files = sorted(name for name in listed if not name.startswith(inside))
    size = sum(_size(root / name) for name in files)
    if size > MOST_BYTES:
        raise CopyError(
            f"the project {root} holds {size >> 20} MB that git does not ignore, too much to copy: "
            "name large folders in .gitignore"
        )
    return Listing(tuple(files), links)


def copy_project(
    root: Path, target: Path, listing: Listing, texts: Mapping[Path, bytes] | None = None
) -> None:
    """Make a copy of the project at ``target``, with other bytes for the files in ``texts``.

    Raises:
        CopyError: when something cannot be read or written.
    """
    target.mkdir(parents=True, exist_ok=True)
    try:
        for name in listing.files:
            _copy(root, target, name)
        for name in listing.links:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).symlink_to(root / name)
        for path, data in (texts or {}).items():
            _replace(target / os.path.relpath(path, root), data)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise CopyError(f"the project cannot be copied: {error.filename}: {why}") from error


def _copy(root: Path, target: Path, name: str) -> None:
    source, new = root / name, target / name
    try:
        mode = source.lstat().st_mode
    except FileNotFoundError:
        return  # in git's index only
    new.parent.mkdir(parents=True, exist_ok=True)
    if stat.S_ISLNK(mode):
        to = os.readlink(source)
        if os.path.isabs(to) and (to == str(root) or to.startswith(f"{root}{os.sep}")):
            to = str(target) + to[len(str(root)) :]
        elif not os.path.isabs(to):
            points_at = os.path.normpath(source.parent / to)
            if not points_at.startswith(f"{root}{os.sep}"):
                to = points_at
        new.symlink_to(to)
    elif stat.S_ISREG(mode):
        try:
            shutil.copyfile(source, new)
        except PermissionError:
            if os.access(source, os.R_OK):
                raise
            new.unlink(missing_ok=True)
            return  # the command cannot read it either
        shutil.copystat(source, new)
        new.chmod(stat.S_IMODE(mode) | stat.S_IWUSR)
    elif stat.S_ISDIR(mode):
        new.mkdir(exist_ok=True)


def _replace(path: Path, data: bytes) -> None:
    # never through a link: it may lead out of the copy
    mode = path.stat().st_mode
    path.unlink()
    path.write_bytes(data)
    path.chmod(stat.S_IMODE(mode) | stat.S_IWUSR)


def _size(path: Path) -> int:
    try:
        found = path.lstat()
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def _with_git(folder: Path) -> set[str] | None:
    """What git tracks or would track, None when git cannot tell."""
    if not (folder / ".git").exists():
        return None
    done = ask_git(folder)
    if done is None:
        return None
    names: set[str] = set()
    for name in filter(None, os.fsdecode(done.stdout).split("\0")):
        inner = folder / name
        if inner.is_dir() and not inner.is_symlink():  # a repository inside this one
            found = _with_git(inner)
            below = _by_hand(inner) if found is None else found
            names.update(os.path.join(name.rstrip("/"), each) for each in below)
        else:
            names.add(name)
    return names


def _by_hand(root: Path) -> Iterator[str]:
    stack: list[tuple[str, tuple[tuple[str, GitIgnoreSpec], ...]]] = [("", ())]
    while stack:
        folder, specs = stack.pop()
        entries = _entries(root / folder)
        names = {entry.name for entry in entries}
        if ".gitignore" in names:
            specs = (*specs, (folder, _gitignore(root / folder / ".gitignore")))
        for entry in entries:
            name = os.path.join(folder, entry.name)
            is_folder = entry.is_dir(follow_symlinks=False)
            if _ignored(name, is_folder, specs):
                continue
            if not is_folder:
                yield name
            elif entry.name not in _SKIPPED | _LINKED and not _is_environment(entry.path):
                stack.append((name, specs))


def _everything(root: Path, name: str) -> Iterator[str]:
    for folder, _, files in os.walk(root / name):
        for file in files:
            yield os.path.relpath(os.path.join(folder, file), root)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except OSError:
        return []  # the command cannot read it either


def _gitignore(file: Path) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    with file.open(encoding="utf-8", errors="surrogateescape") as stream:
        return GitIgnoreSpec.from_lines(stream)


def _ignored(name: str, is_folder: bool, specs: Iterable[tuple[str, GitIgnoreSpec]]) -> bool:
    """Whether the .gitignore nearest to ``name`` that speaks about it says so."""
    ignored = False
    for folder, spec in specs:
        relative = os.path.relpath(name, folder or os.curdir) + (os.sep if is_folder else "")
        verdict = spec.check_file(relative).include
        ignored = ignored if verdict is None else verdict
    return ignored


def _is_environment(folder: str) -> bool:
    return any(os.path.exists(os.path.join(folder, mark)) for mark in _ENVIRONMENT_MARKS)


def _environments(root: Path) -> Iterator[str]:
    """Environments of installed packages in the project, down to its grandchildren."""
    for entry in _entries(root):
        if not entry.is_dir(follow_symlinks=False) or entry.name in _SKIPPED:
            continue
        if entry.name in _LINKED or _is_environment(entry.path):
            yield entry.name
            continue
        for each in _entries(Path(entry.path)):
            linked = each.name in _LINKED or _is_environment(each.path)
            if each.is_dir(follow_symlinks=False) and linked:
                yield os.path.join(entry.name, each.name)
