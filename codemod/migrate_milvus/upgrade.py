"""The one-off upgrade: what has to hold before files are written, and how to take it back.

The rule about git: what is written can be told from what was there, and undone. So a tree with
changes that are not staged is refused, and so is a file that git does not track. Staged changes are
no obstacle: git keeps them apart from what is written here.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from pathlib import Path

from migrate_milvus import git
from migrate_milvus.diffing import unified_diff
from migrate_milvus.discover import display
from migrate_milvus.model import FileResult

PATCH = "migrate-milvus-undo.patch"
# More names than this make no command that anybody wants to read.
_MANY = 8


class DirtyTree(Exception):
    """Files that should not be written now; the message is one line for the user."""


def check_clean(results: Iterable[FileResult], root: Path) -> None:
    """Raise DirtyTree if what would be written could not be told from the owner's own changes."""
    files = [_file(result) for result in results if result.text is not None]
    roots = {path: git.repository(path) for path in files}
    if not files:
        return
    for repository in dict.fromkeys(roots.values()):
        if repository is None:
            continue
        changed = git.unstaged(repository)
        if changed:
            name = display(str(repository / changed[0]), str(root))
            raise DirtyTree(
                f"{_and_more(name, len(changed), 'has', 'have')} changes that are not staged; "
                "commit or stage (git add) them first, or pass --allow-dirty"
            )
        inside = [path for path in files if roots[path] == repository]
        unknown = sorted(set(inside) - git.tracked(repository, inside))
        if unknown:
            name = display(str(unknown[0]), str(root))
            raise DirtyTree(
                f"{_and_more(name, len(unknown), 'is', 'are')} not tracked by git, which could not "
                "bring the old text back; git add first, or pass --allow-dirty"
            )


class Undo:
    """How to take back what is written; to be made before the first file is.

    Files that had other changes need a patch, which is stored among git's own files.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._repository = git.repository(root / "x")
        self._mixed = set(git.unstaged(self._repository)) if self._repository else set()

    def command(self, results: Iterable[FileResult]) -> str:
        """The command for the new texts of ``results``; empty where there is no repository."""
        changed = [result for result in results if result.text is not None]
        repository = self._repository
        files = [_file(result) for result in changed]
        if repository is None or not all(path.is_relative_to(repository) for path in files):
            return ""
        clean = not self._mixed.intersection(p.relative_to(repository).as_posix() for p in files)
        if clean and len(files) <= _MANY and len(git.tracked(repository, files)) == len(files):
            names = (shlex.quote(display(str(path), str(self._root))) for path in files)
            return f"git restore -- {' '.join(names)}"
        patch = git.private_file(repository, PATCH)
        try:
            if patch is not None:
                patch.write_bytes(b"".join(_diff(result, repository) for result in changed))
        except OSError:
            patch = None
        if patch is None:
            return ""
        at = "" if repository == Path.cwd() else f"-C {shlex.quote(str(repository))} "
        inside = patch.relative_to(repository) if patch.is_relative_to(repository) else patch
        return f"git {at}apply -R {shlex.quote(str(inside))}"


def _file(result: FileResult) -> Path:
    """The file that is written, which a link may lead to."""
    return Path(os.path.realpath(result.document.path))


def _diff(result: FileResult, repository: Path) -> bytes:
    """The change of one file, byte for byte, whatever its encoding."""
    document = result.document
    assert result.text is not None
    name = _file(result).relative_to(repository).as_posix().encode().decode("latin-1")
    new = document.encode(result.text).decode("latin-1")
    return unified_diff(document.data.decode("latin-1"), new, name).encode("latin-1")


def _and_more(name: str, count: int, one: str, many: str) -> str:
    if count == 1:
        return f"{name} {one}"
    return f"{name} and {count - 1} other {'file' if count == 2 else 'files'} {many}"
