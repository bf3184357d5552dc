"""What git says about the files of a project; nothing is ever changed through it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

Folder = str | os.PathLike[str]


def ask(folder: Folder, *arguments: str) -> subprocess.CompletedProcess[bytes] | None:
    """What ``git ARGUMENTS`` says in ``folder``; None when git cannot tell, or is not there."""
    import subprocess

    # A hook runs with GIT_DIR and the like set for its own repository.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    environment |= {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(
            ["git", "-c", "core.fsmonitor=false", *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError:
        return None
    return None if done.returncode else done


def repository(path: Path) -> Path | None:
    """The root of the repository that holds ``path``, if git knows it."""
    for folder in path.parents:
        if (folder / ".git").exists():
            return folder if ask(folder, "rev-parse", "--git-dir") else None
    return None


def unstaged(root: Path) -> list[str]:
    """The tracked files below ``root`` that are not as they were committed or staged."""
    done = ask(root, "status", "--porcelain", "-z", "--no-renames", "-uno", "--ignore-submodules")
    entries = os.fsdecode(done.stdout).split("\0") if done else []
    return [entry[3:] for entry in entries if entry[1:2].strip()]


def tracked(root: Path, files: Iterable[Path]) -> set[Path]:
    """Those of ``files`` that git has a version of."""
    names = [path.relative_to(root).as_posix() for path in files]
    if not names:
        return set()
    done = ask(root, "--literal-pathspecs", "ls-files", "-z", "--", *names)
    found = os.fsdecode(done.stdout).split("\0") if done else []
    return {root / name for name in found if name}


def private_file(root: Path, name: str) -> Path | None:
    """A file of that name among git's own files, which no commit holds."""
    done = ask(root, "rev-parse", "--git-path", name)
    return root / os.fsdecode(done.stdout).strip() if done else None
